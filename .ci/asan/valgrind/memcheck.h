/*
 * memcheck.h
 *		What the server tells valgrind about its memory, told to AddressSanitizer.
 *
 * A server that is compiled with USE_VALGRIND includes this file in place of
 * valgrind's own, and each palloc'd chunk gets limits that are watched, as
 * it does under memcheck.  AddressSanitizer does not know whether memory
 * that may be read was ever written; for that there is memcheck.
 */
#ifndef MODELREG_ASAN_MEMCHECK_H
#define MODELREG_ASAN_MEMCHECK_H

#include <sanitizer/asan_interface.h>

#define VALGRIND_MAKE_MEM_DEFINED(addr, size) ASAN_UNPOISON_MEMORY_REGION(addr, size)
#define VALGRIND_MAKE_MEM_UNDEFINED(addr, size) ASAN_UNPOISON_MEMORY_REGION(addr, size)
#define VALGRIND_MAKE_MEM_NOACCESS(addr, size) ASAN_POISON_MEMORY_REGION(addr, size)
#define VALGRIND_CHECK_MEM_IS_DEFINED(addr, size) ((void) 0)

/* Whoever frees a chunk overwrites it and says that it is out of bounds. */
#define VALGRIND_CREATE_MEMPOOL(pool, redzone, zeroed) ((void) 0)
#define VALGRIND_DESTROY_MEMPOOL(pool) ((void) 0)
#define VALGRIND_MEMPOOL_ALLOC(pool, addr, size) ASAN_UNPOISON_MEMORY_REGION(addr, size)
#define VALGRIND_MEMPOOL_CHANGE(pool, from, to, size) ASAN_UNPOISON_MEMORY_REGION(to, size)
#define VALGRIND_MEMPOOL_FREE(pool, addr) ((void) 0)
#define VALGRIND_MEMPOOL_TRIM(pool, addr, size) ((void) 0)

#endif							/* MODELREG_ASAN_MEMCHECK_H */
