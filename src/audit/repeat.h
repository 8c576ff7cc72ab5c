/*
 * repeat.h
 *		Asking early whether a call repeats one.
 */
#ifndef MODELREG_REPEAT_H
#define MODELREG_REPEAT_H

#include "audit/audit.h"

extern bool mr_verb_repeated(MrVerb *verb, FunctionCallInfo fcinfo,
							 const char *name, const MrTeam *team,
							 int request_id_arg);

#endif							/* MODELREG_REPEAT_H */
