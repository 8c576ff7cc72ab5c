/*
 * receipt.h
 *		What an answer to a request was routed by: a step of a schedule.
 */
#ifndef MODELREG_RECEIPT_H
#define MODELREG_RECEIPT_H

#include "serving/endpoint.h"
#include "utils/snapshot.h"

typedef struct MrReceipt
{
	int64		event;			/* of the endpoint: it laid down the schedule */
	int32		step;			/* of that schedule, from 0 */
} MrReceipt;

extern MrReceipt mr_receipt_parse(const text *receipt);
extern char *mr_receipt_print(const MrReceipt *receipt);
extern bool mr_receipt_is_known(const MrReceipt *receipt, int64 endpoint,
								Snapshot snapshot);
extern void mr_receipt_raise_unknown(const char *receipt,
									 const MrEndpoint *endpoint);

#endif							/* MODELREG_RECEIPT_H */
