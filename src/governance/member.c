/*
 * member.c
 *		Members of a JSON object, as documents of policies have them.
 *
 * A document is checked once, when it is written, against lists of members;
 * whoever reads it after may take it as checked.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "base/format.h"
#include "base/hash.h"
#include "governance/member.h"
#include "types/parse.h"

/* No count in a policy is larger: 100 years have fewer days. */
#define COUNT_MAX 36525

void
mr_mistake(StringInfo mistakes, const char *format,...)
{
	int			start;
	va_list		args;

	if (mistakes->len > 0)
		appendStringInfoChar(mistakes, '\n');
	start = mistakes->len;
	va_start(args, format);
	mr_append_va(mistakes, format, args);
	va_end(args);
	mistakes->data[start] = pg_toupper((unsigned char) mistakes->data[start]);
}

char *
mr_member_text(JsonbContainer *object, const char *name)
{
	JsonbValue	value;

	return mr_json_find(object, name, &value) && value.type == jbvString ?
		mr_json_cstring(&value) : NULL;
}

Numeric
mr_member_number(JsonbContainer *object, const char *name)
{
	JsonbValue	value;

	return mr_json_find(object, name, &value) && value.type == jbvNumeric ?
		value.val.numeric : NULL;
}

/* A whole number from 1 to COUNT_MAX, else 0. */
static int
count_of(const JsonbValue *value)
{
	float8		number;

	if (value->type != jbvNumeric)
		return 0;
	number = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
												NumericGetDatum(value->val.numeric)));
	return number >= 1 && number <= COUNT_MAX && number == floor(number) ?
		(int) number : 0;
}

int
mr_member_count(JsonbContainer *object, const char *name, int missing)
{
	JsonbValue	value;

	return mr_json_find(object, name, &value) ? count_of(&value) : missing;
}

bool
mr_member_bool(JsonbContainer *object, const char *name, bool missing)
{
	JsonbValue	value;

	return mr_json_find(object, name, &value) && value.type == jbvBool ?
		value.val.boolean : missing;
}

JsonbContainer *
mr_value_object(const JsonbValue *value)
{
	return value->type == jbvBinary && JsonContainerIsObject(value->val.binary.data) ?
		value->val.binary.data : NULL;
}

JsonbContainer *
mr_member_object(JsonbContainer *object, const char *name)
{
	JsonbValue	value;

	return mr_json_find(object, name, &value) ? mr_value_object(&value) : NULL;
}

JsonbContainer *
mr_member_array(JsonbContainer *object, const char *name)
{
	JsonbValue	value;

	return mr_json_find(object, name, &value) && value.type == jbvBinary &&
		JsonContainerIsArray(value.val.binary.data) ? value.val.binary.data : NULL;
}

void
mr_member_each(JsonbContainer *container, MrMemberVisit visit, void *arg)
{
	JsonbIterator *it = JsonbIteratorInit(container);
	bool		is_object = JsonContainerIsObject(container);
	JsonbValue	key;
	JsonbValue	value;

	(void) JsonbIteratorNext(&it, &key, true);
	for (uint32 n = JsonContainerSize(container); n > 0; n--)
	{
		CHECK_FOR_INTERRUPTS();
		if (is_object)
			(void) JsonbIteratorNext(&it, &key, true);
		(void) JsonbIteratorNext(&it, &value, true);
		visit(is_object ? mr_json_cstring(&key) : NULL, &value, arg);
	}
}

/* The texts of a list, in its order; wrong if it is no list of different ones. */
typedef struct Texts
{
	char	  **items;
	int			n;
	bool		wrong;
} Texts;

static void
add_text(const char *name, const JsonbValue *value, void *arg)
{
	Texts	   *texts = arg;

	if (value->type != jbvString || value->val.string.len == 0)
	{
		texts->wrong = true;
		return;
	}
	texts->items[texts->n] = mr_json_cstring(value);
	for (int i = 0; i < texts->n; i++)
		texts->wrong |= strcmp(texts->items[i], texts->items[texts->n]) == 0;
	texts->n++;
}

static Texts
texts_of(JsonbContainer *array)
{
	Texts		texts = {.wrong = JsonContainerSize(array) == 0};

	texts.items = palloc((JsonContainerSize(array) + 1) * sizeof(char *));
	mr_member_each(array, add_text, &texts);
	return texts;
}

char	  **
mr_member_texts(JsonbContainer *object, const char *name, int *n)
{
	JsonbContainer *array = mr_member_array(object, name);
	Texts		texts = {0};

	if (array != NULL)
		texts = texts_of(array);
	*n = texts.n;
	return texts.items;
}

static bool
has_type(const JsonbValue *value, MrMemberType type)
{
	bool		is_array = value->type == jbvBinary &&
		JsonContainerIsArray(value->val.binary.data);

	switch (type)
	{
		case MR_MEMBER_TEXT:
			return value->type == jbvString && value->val.string.len > 0;
		case MR_MEMBER_NUMBER:
			return value->type == jbvNumeric;
		case MR_MEMBER_COUNT:
			return count_of(value) > 0;
		case MR_MEMBER_BOOL:
			return value->type == jbvBool;
		case MR_MEMBER_TEXTS:
			return is_array && !texts_of(value->val.binary.data).wrong;
		case MR_MEMBER_OBJECT:
			return mr_value_object(value) != NULL;
		case MR_MEMBER_ARRAY:
			return is_array;
	}
	return false;
}

static const char *const type_names[] = {
	[MR_MEMBER_TEXT] = "a text",
	[MR_MEMBER_NUMBER] = "a number",
	[MR_MEMBER_COUNT] = "a whole number from 1 to 36525",
	[MR_MEMBER_BOOL] = "true or false",
	[MR_MEMBER_TEXTS] = "a list of different texts",
	[MR_MEMBER_OBJECT] = "an object",
	[MR_MEMBER_ARRAY] = "a list",
};

/* What a walk over the members of an object has to know. */
typedef struct Checking
{
	const MrMember *common;
	const MrMember *members;
	const char *where;
	StringInfo	mistakes;
} Checking;

static const MrMember *
find_member(const MrMember *members, const char *name)
{
	for (; members != NULL && members->name != NULL; members++)
		if (strcmp(members->name, name) == 0)
			return members;
	return NULL;
}

static void
check_member(const char *name, const JsonbValue *value, void *arg)
{
	Checking   *checking = arg;
	const MrMember *member = find_member(checking->common, name);

	if (member == NULL)
		member = find_member(checking->members, name);
	if (member == NULL)
		mr_mistake(checking->mistakes, "%s has no member \"%s\".",
				   checking->where, mr_text_clip(name));
	else if (!has_type(value, member->type))
		mr_mistake(checking->mistakes, "\"%s\" of %s must be %s.", name,
				   checking->where, type_names[member->type]);
}

static void
check_required(JsonbContainer *object, const MrMember *members, const char *where,
			   StringInfo mistakes)
{
	JsonbValue	value;

	for (; members != NULL && members->name != NULL; members++)
		if (members->required && !mr_json_find(object, members->name, &value))
			mr_mistake(mistakes, "%s needs a member \"%s\".", where, members->name);
}

void
mr_members_check(JsonbContainer *object, const MrMember *common,
				 const MrMember *members, const char *where, StringInfo mistakes)
{
	Checking	checking = {common, members, where, mistakes};

	mr_member_each(object, check_member, &checking);
	check_required(object, common, where, mistakes);
	check_required(object, members, where, mistakes);
}
