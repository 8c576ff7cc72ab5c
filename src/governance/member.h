/*
 * member.h
 *		Members of a JSON object, as documents of policies have them.
 */
#ifndef MODELREG_MEMBER_H
#define MODELREG_MEMBER_H

#include "lib/stringinfo.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

typedef enum MrMemberType
{
	MR_MEMBER_TEXT,				/* not empty */
	MR_MEMBER_NUMBER,
	MR_MEMBER_COUNT,			/* a whole number of 1 or more */
	MR_MEMBER_BOOL,
	MR_MEMBER_TEXTS,			/* a list that is not empty, without repetition */
	MR_MEMBER_OBJECT,
	MR_MEMBER_ARRAY
} MrMemberType;

/* A list of these ends with a name NULL. */
typedef struct MrMember
{
	const char *name;
	MrMemberType type;
	bool		required;
} MrMember;

/* Add a sentence to the mistakes. */
extern void mr_mistake(StringInfo mistakes, const char *format,...)
			pg_attribute_printf(2, 3);

/*
 * Note what is wrong with the members of an object, which the mistakes call
 * where: unknown ones, missing ones, ones of another type.  It may have those
 * of both lists; either may be NULL.
 */
extern void mr_members_check(JsonbContainer *object, const MrMember *common,
							 const MrMember *members, const char *where,
							 StringInfo mistakes);

/*
 * A member of an object; what is missing or of another type is NULL, false,
 * or the value given for that.
 */
extern char *mr_member_text(JsonbContainer *object, const char *name);
extern Numeric mr_member_number(JsonbContainer *object, const char *name);
extern int	mr_member_count(JsonbContainer *object, const char *name,
							int missing);
extern bool mr_member_bool(JsonbContainer *object, const char *name,
						   bool missing);
extern char **mr_member_texts(JsonbContainer *object, const char *name,
							  int *n);
extern JsonbContainer *mr_member_object(JsonbContainer *object,
										const char *name);

/* Call for each member of an object, or element (name NULL) of an array. */
typedef void (*MrMemberVisit) (const char *name, const JsonbValue *value,
							   void *arg);
extern void mr_member_each(JsonbContainer *container, MrMemberVisit visit,
						   void *arg);
extern JsonbContainer *mr_member_array(JsonbContainer *object,
									   const char *name);
extern JsonbContainer *mr_value_object(const JsonbValue *value);

#endif							/* MODELREG_MEMBER_H */
