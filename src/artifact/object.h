/*
 * object.h
 *		The large objects that hold bytes.
 */
#ifndef MODELREG_OBJECT_H
#define MODELREG_OBJECT_H

#include "types/digest.h"

extern void mr_object_require_privileges(void);

extern Oid	mr_object_create(void);
extern void mr_object_drop(Oid object);

extern int64 mr_object_size(Oid object);
extern void mr_object_write(Oid object, int64 offset, const char *data,
							int len);
extern int	mr_object_read(Oid object, bool latest, int64 offset,
						   char *data, int len);
extern MrDigest *mr_object_digest(Oid object, bool latest, int64 *size);
extern MrDigest *mr_object_copy(Oid source, Oid target, int64 *size);

#endif							/* MODELREG_OBJECT_H */
