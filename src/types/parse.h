/*
 * parse.h
 *		What the parsers of texts have in common: a fault and its report.
 */
#ifndef MODELREG_PARSE_H
#define MODELREG_PARSE_H

#include "nodes/nodes.h"

/* What is wrong with a text, and where in it. */
typedef struct MrFault
{
	const char *at;				/* points into the text */
	char	   *what;			/* the end of a sentence that names the place */
} MrFault;

/* Bytes of the character at p, never past the terminating NUL. */
extern int	mr_char_length(const char *p);

/* Value of a hexadecimal digit of either case, or -1. */
extern int	mr_hex_value(char c);

/* The text as an error message may quote it: cut if it is long. */
extern char *mr_text_clip(const char *text);

/* The same for len bytes of a text. */
extern char *mr_text_clip_part(const char *start, Size len);

/* Character position of a fault in its text, from 1. */
extern int	mr_fault_position(const char *text, const MrFault *fault);

/*
 * Number of 1 or more without sign or leading zeros, in exactly len bytes.
 * The noun ("version number") is for the fault.
 */
extern bool mr_number_scan(const char *start, Size len, int64 max,
						   const char *noun, int64 *number, MrFault *fault);

/* Reports malformed input of a type, softly if it can; returns false. */
extern bool mr_syntax_error(const char *type, const char *text,
							const MrFault *fault, Node *escontext);

/* Notes the fault; returns false. */
extern bool mr_fault_set(MrFault *fault, const char *at,
						 const char *format,...) pg_attribute_printf(3, 4);

#endif							/* MODELREG_PARSE_H */
