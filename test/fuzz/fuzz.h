/*
 * fuzz.h
 *		What the fuzzer's targets share.
 */
#ifndef MODELREG_FUZZ_H
#define MODELREG_FUZZ_H

#include "fmgr.h"
#include "lib/stringinfo.h"

/* The bytes that libFuzzer made up, as far as they are not used yet. */
typedef struct Source
{
	const uint8 *at;
	const uint8 *end;
} Source;

/* What is true of every input, or the fuzzer has found something. */
#define check(condition) \
	do { \
		if (!(condition)) \
			fuzz_failure(#condition, __FILE__, __LINE__); \
	} while (0)

extern void fuzz_failure(const char *what, const char *file, int line) pg_attribute_noreturn();

/* A target tries one input. */
extern void fuzz_type(const uint8 *data, size_t len, const char *type);
extern void fuzz_names(const uint8 *data, size_t len, const char *sort);
extern void fuzz_json(const uint8 *data, size_t len, const char *unused);
extern void fuzz_signature(const uint8 *data, size_t len, const char *unused);
extern void fuzz_policy(const uint8 *data, size_t len, const char *unused);
extern void fuzz_envelope(const uint8 *data, size_t len, const char *unused);
extern void fuzz_compatibility(const uint8 *data, size_t len, const char *unused);
extern void fuzz_plan(const uint8 *data, size_t len, const char *unused);
extern void fuzz_search(const uint8 *data, size_t len, const char *unused);
extern void fuzz_verbs(const uint8 *data, size_t len, const char *unused);
extern void fuzz_row(const uint8 *data, size_t len, const char *unused);

/* source.c */
extern uint8 next_byte(Source *source);
extern char *next_text(Source *source);
extern char *next_pattern(Source *source);
extern char *next_document(Source *source, bool other_spelling);

/* values.c */
extern bool next_value(Source *source, Oid type, Datum *value);

/* exact.c */
extern MemoryContext exact_context_create(MemoryContext parent);

/* fuzz.c */
extern bool is_text(const uint8 *data, size_t len);
extern Oid	function_oid(const char *signature);
extern bool try_call(FmgrInfo *function, int nargs, const Datum *args, Datum *result);
extern bool try_call_nullable(FmgrInfo *function, int nargs, const NullableDatum *args);
extern Datum must_call(FmgrInfo *function, int nargs, const Datum *args);

#endif							/* MODELREG_FUZZ_H */
