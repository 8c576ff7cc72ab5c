/*
 * faults.c
 *		Faults at a chosen moment, for tests: preloaded into a server, it stands
 *		between the server and libc.
 *
 * SQL arms one fault in its own backend: the n-th time that something happens
 * from then on, it strikes.  An interrupt counts calls of string functions,
 * of which the server makes thousands between any two things worth telling
 * apart; it sets the flag that a signal would have set, and the server acts
 * on it where it next looks.  The moment at which it did is noted, so that
 * whoever arms with that number next interrupts at every such place in turn.
 * A verb has few of them.  "error" counts such calls by modelreg alone and
 * makes each a place where an interrupt is acted on, since an error may come
 * out of nearly everything that it calls.
 * Whatever is armed ends when the backend reads from its client again.
 *
 * A file that FAULTS_CONTROL names and every process maps holds what a test
 * may change while the server runs: an offset of the clock, and a disk that
 * is full.
 */
#include "postgres.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/builtins.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(faults_arm);
PG_FUNCTION_INFO_V1(faults_acted);
PG_FUNCTION_INFO_V1(faults_lock);

/* Other programs than the server are loaded with this too. */
#pragma weak InterruptPending
#pragma weak QueryCancelPending
#pragma weak ProcDiePending
#pragma weak ProcessInterrupts
#pragma weak MyDatabaseId

typedef enum Fault
{
	NOTHING, CANCEL, TERMINATE, ERRORS, MEMORY, DISK, WAL
} Fault;

static const char *const fault_names[] = {"nothing", "cancel", "terminate", "error", "memory", "disk", "wal"};

/* The file.  A test reads and writes it with pack('q4'). */
typedef struct Control
{
	int64		clock_offset;	/* microseconds */
	int64		disk_full;		/* no file of a database may grow */
	int64		acted;			/* of the fault armed last: when the server acted on it; 0 for not */
	int64		count;			/* and how far it was counted */
} Control;

static Control *control;
static volatile Fault armed;
static volatile bool struck;
static volatile int64 count;
static int64 target;

static __attribute__((constructor)) void
map_control(void)
{
	char	   *path = getenv("FAULTS_CONTROL");
	int			fd = path ? open(path, O_RDWR) : -1;
	void	   *map;

	if (fd < 0)
		return;
	map = mmap(NULL, sizeof(Control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	control = map == MAP_FAILED ? NULL : map;
	close(fd);
}

/* Is it this fault's turn?  Once. */
static bool
strikes(Fault fault)
{
	if (armed != fault || struck || ++count < target)
		return false;
	struck = true;
	control->acted = count;
	return true;
}

static void
interrupt(volatile sig_atomic_t *pending)
{
	count++;
	if (!struck && count >= target)
	{
		struck = true;
		*pending = true;
		InterruptPending = true;
	}
	else if (struck && control->acted == 0 && !*pending)
		control->acted = count;
}

/* Where modelreg's code lies. */
static uintptr_t code_begin,
			code_end;

static int
find_code(struct dl_phdr_info *info, size_t size, void *arg)
{
	size_t		len = strlen(info->dlpi_name);

	if (len < 12 || strcmp(info->dlpi_name + len - 12, "/modelreg.so") != 0)
		return 0;
	for (int i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_LOAD && (info->dlpi_phdr[i].p_flags & PF_X))
		{
			code_begin = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
			code_end = code_begin + info->dlpi_phdr[i].p_memsz;
		}
	return 1;
}

static void
raise_error(uintptr_t caller)
{
	if (caller < code_begin || caller >= code_end || !strikes(ERRORS))
		return;
	QueryCancelPending = true;
	InterruptPending = true;
	ProcessInterrupts();
}

static inline __attribute__((always_inline)) void
tick(void)
{
	if (__builtin_expect(armed == NOTHING, 1))
		return;
	if (armed == CANCEL)
		interrupt(&QueryCancelPending);
	else if (armed == TERMINATE)
		interrupt(&ProcDiePending);
	else if (armed == ERRORS)
		raise_error((uintptr_t) __builtin_return_address(0));
}

/* Compiled so that these loops do not become calls of themselves. */
void *
memcpy(void *to, const void *from, size_t n)
{
	tick();
	for (size_t i = 0; i < n; i++)
		((char *) to)[i] = ((const char *) from)[i];
	return to;
}

void *
memset(void *to, int c, size_t n)
{
	tick();
	for (size_t i = 0; i < n; i++)
		((char *) to)[i] = c;
	return to;
}

int
memcmp(const void *a, const void *b, size_t n)
{
	const unsigned char *x = a;
	const unsigned char *y = b;

	tick();
	for (size_t i = 0; i < n; i++)
		if (x[i] != y[i])
			return x[i] - y[i];
	return 0;
}

int
strcmp(const char *a, const char *b)
{
	tick();
	while (*a && *a == *b)
		a++, b++;
	return (unsigned char) *a - (unsigned char) *b;
}

size_t
strlen(const char *s)
{
	size_t		n = 0;

	tick();
	while (s[n])
		n++;
	return n;
}

/* The backend is idle. */
ssize_t
recv(int fd, void *buffer, size_t n, int flags)
{
	if (armed != NOTHING)
		control->count = count;
	armed = NOTHING;
	return syscall(SYS_recvfrom, fd, buffer, n, flags, NULL, NULL);
}

extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *old, size_t n);

/*
 * Does the server's collection of statistics ask?  It keeps a reference that
 * is not filled in when it gets no memory there, and crashes on it later: not
 * the registry's to survive.
 */
static bool
is_for_statistics(void)
{
	static bool looking;
	void	   *frames[32];
	bool		found = false;
	int			n;

	if (looking)
		return true;			/* to load what backtrace() needs */
	looking = true;
	n = backtrace(frames, lengthof(frames));
	for (int i = 0; i < n && !found; i++)
	{
		Dl_info		info;

		found = dladdr(frames[i], &info) != 0 && info.dli_sname != NULL &&
			strcmp(info.dli_sname, "pgstat_get_entry_ref") == 0;
	}
	looking = false;
	return found;
}

static bool
no_memory(void)
{
	/* then the next one who asks gets none */
	if (armed == MEMORY && !struck && count + 1 >= target && is_for_statistics())
		return false;
	if (!strikes(MEMORY))
		return false;
	errno = ENOMEM;
	return true;
}

void *
malloc(size_t n)
{
	return no_memory() ? NULL : __libc_malloc(n);
}

void *
calloc(size_t n, size_t size)
{
	return no_memory() ? NULL : __libc_calloc(n, size);
}

void *
realloc(void *old, size_t n)
{
	return no_memory() ? NULL : __libc_realloc(old, n);
}

/* A database's file that would grow, on a disk that is full; or any write of WAL that is armed. */
static bool
no_space(int fd, off_t end)
{
	char		link[64];
	char		path[MAXPGPATH] = "";
	struct stat st;

	if (control == NULL || (!control->disk_full && armed != DISK && armed != WAL))
		return false;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if (readlink(link, path, sizeof(path) - 1) < 0)
		return false;
	if (strstr(path, "/pg_wal/"))
	{
		if (!strikes(WAL))
			return false;
	}
	else if (!strstr(path, "/base/") || fstat(fd, &st) != 0 || end <= st.st_size ||
			 !(control->disk_full || strikes(DISK)))
		return false;
	errno = ENOSPC;
	return true;
}

ssize_t
pwrite(int fd, const void *data, size_t n, off_t offset)
{
	return no_space(fd, offset + n) ? -1 : syscall(SYS_pwrite64, fd, data, n, offset);
}

ssize_t
pwritev(int fd, const struct iovec *iov, int iovcnt, off_t offset)
{
	size_t		n = 0;

	for (int i = 0; i < iovcnt; i++)
		n += iov[i].iov_len;
	return no_space(fd, offset + n) ? -1 : syscall(SYS_pwritev, fd, iov, iovcnt, offset, 0);
}

int
posix_fallocate(int fd, off_t offset, off_t n)
{
	if (no_space(fd, offset + n))
		return ENOSPC;
	return syscall(SYS_fallocate, fd, 0, offset, n) == 0 ? 0 : errno;
}

int
gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
	struct timespec now;
	int64		us;

	clock_gettime(CLOCK_REALTIME, &now);
	us = now.tv_sec * INT64CONST(1000000) + now.tv_nsec / 1000 + (control ? control->clock_offset : 0);
	tv->tv_sec = us / 1000000;
	tv->tv_usec = us % 1000000;
	return 0;
}

/* arm(fault text, n bigint) returns void */
Datum
faults_arm(PG_FUNCTION_ARGS)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	Fault		fault = NOTHING;

	for (int i = 0; i < lengthof(fault_names); i++)
		if (strcmp(name, fault_names[i]) == 0)
			fault = i;
	dl_iterate_phdr(find_code, NULL);
	target = PG_GETARG_INT64(1);
	count = 0;
	struck = false;
	control->acted = 0;
	armed = fault;
	PG_RETURN_VOID();
}

/* acted() returns bigint */
Datum
faults_acted(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(control->acted);
}

/* lock(classid bigint, objid bigint, objsubid integer) returns void: an advisory lock as pg_locks shows it */
Datum
faults_lock(PG_FUNCTION_ARGS)
{
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, (uint32) PG_GETARG_INT64(0),
						 (uint32) PG_GETARG_INT64(1), PG_GETARG_INT32(2));
	(void) LockAcquire(&tag, ExclusiveLock, false, false);
	PG_RETURN_VOID();
}
