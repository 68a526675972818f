/* innerloop's shim: it stands in for the shell of a recipe line, so that the line's times can be noted.
 *
 *   DIR/sh -c LINE                     make's SHELL is /bin/sh; likewise bash dash ksh rksh zsh ash: the link's name is
 *                                      the real shell's, because make treats shells by their names
 *   DIR/other @SHELL [WORD...] LINE    any other SHELL; its text is the first word after the at sign
 *   DIR/exec SHELL [WORD...] LINE      called by exec.sh, which the real SHELL ran
 * Before make 4.3 DIR is the directory `make-4.2` below the probe's, before 3.82 `make-3.81`: those make some things otherwise.
 *
 * In the environment (see probe.mk):
 *   __innerloop=MEMBER:LOG   the process that this make belongs to the run by, and the run's target log. MEMBER is the id of
 *                            the recipe line that it runs under, or the number of a process: the launcher, or the make itself
 *   __innerloop_line=...     what make knows of this line: fields that end with a newline. Removed here.
 *
 * The log gets a record before the line starts and one after it ended, each by one write(2) with O_APPEND. Variables outlive
 * runs: nothing is written unless the run lives, which is to say that its log or its record is locked, and MEMBER is above us.
 *
 * Whatever goes wrong here, the line runs: the shim then becomes the shell, as if it had never been there.
 * It changes no descriptor, no process group, no terminal setting and no signal disposition that the line
 * could see. It uses no stdio, no locale and no heap.
 */
#define _GNU_SOURCE
#include <alloca.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

#define RECORD 16000                       /* bytes of the longest record */
#define WHOLE (4L << 20)                   /* bytes of a log from which on records are short: no prerequisites */
#define LONGEST (16L << 20)                /* ... from which on lines are only counted, two bytes each */
#define COUNTED (17L << 20)                /* ... that a log never exceeds */
#define ROOM (256L << 10)                  /* bytes that execve(2) must have left for a line and what is told of it */
#define GRACE 50000000L                    /* ns: a signal to the whole group has reached the line by then */
#define FIELDS 7                           /* of __innerloop_line, in the order of `enum field` */

enum field { TARGET, NORMAL, ORDER, RESTORED }; /* the last four: see restore() */

struct span { const char *at; size_t length; };

static struct span field[FIELDS];          /* of __innerloop_line */
static char *member = "", *log_path = "";  /* of __innerloop */
static int old_make, oldest_make;          /* before 4.3, before 3.82 */
static char id[48];                        /* of this line */
static char inherited[PATH_MAX + 80];      /* the child's `__innerloop=ID:LOG` */
static int log_file = -1;
static int told;                           /* make told us of a line: since 4.4 for a $(shell) too */

/* ---- text ---- */

struct text { char *at, *end; };

static void put(struct text *t, char byte)
{
    if (t->at < t->end) *t->at++ = byte;
}

static void put_string(struct text *t, const char *s)
{
    while (*s) put(t, *s++);
}

static void put_number(struct text *t, long long number)
{
    char digits[24], *p = digits + sizeof digits;
    unsigned long long n = number < 0 ? 0ULL - (unsigned long long)number : (unsigned long long)number;

    *--p = 0;
    do *--p = (char)('0' + n % 10); while (n /= 10);
    if (number < 0) *--p = '-';
    put_string(t, p);
}

/* A name as it stands in the log; a name that does not fit is cut, never in the middle of an escape. */
static void put_name(struct text *t, const char *name, size_t length, size_t most)
{
    static const char hex[] = "0123456789ABCDEF";
    char *end = (size_t)(t->end - t->at) > most ? t->at + most : t->end;

    for (; length && t->at + 3 <= end; name++, length--) {
        unsigned char byte = (unsigned char)*name;
        if (byte <= ' ' || byte == 127 || byte == '%') {
            put(t, '%');
            put(t, hex[byte >> 4]);
            put(t, hex[byte & 15]);
        } else
            put(t, (char)byte);
    }
}

/* A list that make separated by blanks. */
static void put_list(struct text *t, struct span names, size_t most)
{
    const char *list = names.at, *stop = list + names.length;
    char *limit = (size_t)(t->end - t->at) > most ? t->at + most : t->end;
    int first = 1;

    while (list < stop && t->at + 8 < limit) {
        const char *end = memchr(list, ' ', (size_t)(stop - list));
        if (!end) end = stop;
        if (end > list) {
            if (!first) put(t, ' ');
            put_name(t, list, (size_t)(end - list), (size_t)(limit - t->at));
            first = 0;
        }
        list = end + 1;
    }
}

static long long now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* ---- the environment ---- */

static char **entry(const char *name)
{
    size_t length = strlen(name);
    char **e;

    for (e = environ; *e; e++)
        if (!strncmp(*e, name, length) && (*e)[length] == '=') return e;
    return NULL;
}

static void drop(char **e)
{
    do e[0] = e[1]; while (*e++);
}

/* exec.sh ran under a shell, and shells set these four: give them back the values that make gave, or none. */
static void restore(void)
{
    static const char *const names[] = { "PWD", "OLDPWD", "SHLVL", "_" };
    static char texts[4][PATH_MAX + 16];
    size_t i;

    for (i = 0; i < 4; i++) {
        struct span was = field[RESTORED + i];
        char **e = entry(names[i]);
        struct text t = { texts[i], texts[i] + sizeof texts[i] - 1 };

        if (!e || !was.length) continue;
        if (was.at[0] == '-') { drop(e); continue; }
        if (was.length > PATH_MAX) continue;
        put_string(&t, names[i]);
        put(&t, '=');
        memcpy(t.at, was.at + 1, was.length - 1);
        *e = texts[i];
    }
}

/* Take make's description of the line out of the environment. Returns 0 where there is none to measure. */
static int describe(void)
{
    char **e = entry("__innerloop_line"), **run = entry("__innerloop"), *p;
    int i;

    if (!e) return 0;
    p = *e + sizeof "__innerloop_line";
    for (i = 0; i < FIELDS; i++) {
        char *end = strchr(p, '\n');
        if (!end) break;
        field[i].at = p;
        field[i].length = (size_t)(end - p);
        p = end + 1;
    }
    drop(e);
    run = entry("__innerloop");
    if (i < ORDER + 1 || !run || !field[TARGET].length) return 0;
    member = *run + sizeof "__innerloop";
    log_path = strchr(member, ':');
    if (!log_path) return 0;
    log_path++;
    return log_path[0] == '/' && log_path - member <= (long)sizeof id && strlen(log_path) < PATH_MAX;
}

/* Whether execve(2) would still take a line, and what is told of it, with this environment: else make's own could fail. */
static int has_room(void)
{
    struct rlimit stack;
    unsigned long limit, size = 0;
    char **e;

    if (getrlimit(RLIMIT_STACK, &stack)) return 1;
    limit = stack.rlim_cur / 4 > 6UL << 20 ? 6UL << 20 : (unsigned long)stack.rlim_cur / 4;
    for (e = environ; *e; e++) size += strlen(*e) + 1 + sizeof *e;
    return size + ROOM <= limit;
}

/* Take out what leads to us, for whatever the line starts. */
static void leave(void)
{
    char **e = entry("__innerloop"), *p, *end;

    if (e) drop(e);
    if (!(e = entry("MAKEFILES"))) return;
    p = *e + sizeof "MAKEFILES";
    if (!(end = strstr(p, "/probe.mk")) || memchr(p, ' ', (size_t)(end - p))) return; /* ours comes first */
    end += sizeof "/probe.mk" - 1;
    if (!*end) drop(e);
    else if (*end == ' ') memmove(p, end + 1, strlen(end));
}

/* ---- the run ---- */

static size_t read_proc(pid_t pid, const char *what, char *buffer, size_t size)
{
    char path[48];
    struct text t = { path, path + sizeof path - 1 };
    ssize_t length = -1;
    int file;

    put_string(&t, "/proc/");
    put_number(&t, pid);
    put_string(&t, what);
    *t.at = 0;
    if ((file = open(path, O_RDONLY | O_CLOEXEC)) >= 0) {
        length = read(file, buffer, size - 1);
        close(file);
    }
    buffer[length > 0 ? length : 0] = 0;
    return length > 0 ? (size_t)length : 0;
}

/* Whether a process is another one or below it. What /proc does not tell counts as `unknown`. */
static int descends(pid_t pid, pid_t from, int unknown)
{
    char stat_line[512], *p;
    int depth;

    for (depth = 0; pid > 1 && pid != from && depth < 64; depth++) {
        if (!read_proc(pid, "/stat", stat_line, sizeof stat_line) || !(p = strrchr(stat_line, ')'))) return unknown;
        pid = (pid_t)atoi(p + 3); /* `) S PARENT` */
    }
    return pid == from;
}

static int is_locked(int file)
{
    struct flock lock;

    memset(&lock, 0, sizeof lock);
    lock.l_type = F_WRLCK;
    return !fcntl(file, F_GETLK, &lock) && lock.l_type != F_UNLCK;
}

/* Whether the run goes on. Whoever keeps its record has locked the log before make started, or, where the log was made for
 * a make inside a measured script, the record: SPOOL/run/ID beside SPOOL/targets/ID. */
static int goes_on(void)
{
    static const char logs[] = "/targets/", records[] = "/run/";
    char path[PATH_MAX], *p, *last;
    int file, locked;

    if (is_locked(log_file)) return 1;
    strcpy(path, log_path);
    for (last = NULL, p = path; (p = strstr(p, logs)); p++) last = p;
    if (!last) return 0;
    memmove(last + sizeof records - 1, last + sizeof logs - 1, strlen(last + sizeof logs - 1) + 1);
    memcpy(last, records, sizeof records - 1);
    file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (file < 0) return 0;
    locked = is_locked(file);
    close(file);
    return locked;
}

/* Since make 4.4 a $(shell) in a recipe gets what is exported, so what is told of the line too. It writes into a pipe of
 * make's, while a line writes where make does, or into a file (option -O). */
static int is_function(pid_t make)
{
    struct stat out, theirs;
    char path[48];
    struct text t = { path, path + sizeof path - 1 };

    if (fstat(1, &out) || !S_ISFIFO(out.st_mode)) return 0;
    put_string(&t, "/proc/");
    put_number(&t, make);
    put_string(&t, "/fd/1");
    *t.at = 0;
    return !stat(path, &theirs) && (theirs.st_dev != out.st_dev || theirs.st_ino != out.st_ino);
}

/* The log: a plain file of this user that is there already. Root in a container writes into that of the mount's owner. */
static int open_log(void)
{
    static const char mount[] = "/run/innerloop/state/";
    struct stat s;

    log_file = open(log_path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    return log_file > 2 && !fstat(log_file, &s) && S_ISREG(s.st_mode) && (s.st_uid == geteuid() ||
        (!geteuid() && !strncmp(log_path, mount, sizeof mount - 1)));
}

/* ---- records ---- */

/* One write(2), into a run that goes on. Beyond what `ulimit -f` allows nothing is written, rather than half a record; should the log have grown
 * meanwhile, the signal for that is not to end us. Returns 0 where it was not written. */
static int append(const char *record, size_t length)
{
    struct sigaction ignore, theirs;
    struct rlimit most;
    struct stat s;
    ssize_t written;

    if (fstat(log_file, &s) || !goes_on()) return 0;
    if (!getrlimit(RLIMIT_FSIZE, &most) && most.rlim_cur != RLIM_INFINITY)
        if ((rlim_t)s.st_size + length > most.rlim_cur) return 0;
    if (s.st_size + (off_t)length > COUNTED) return 0;
    memset(&ignore, 0, sizeof ignore);
    ignore.sa_handler = SIG_IGN;
    sigaction(SIGXFSZ, &ignore, &theirs);
    written = write(log_file, record, length);
    sigaction(SIGXFSZ, &theirs, NULL);
    return written == (ssize_t)length;
}

/* Which of i, k and j this make runs under. MAKEFLAGS: letters, options, ` -- `, variables. */
static void put_flags(struct text *t)
{
    char **e = entry("MAKEFLAGS"), *p;
    int i = 0, k = 0, j = 0;

    for (p = e ? *e + sizeof "MAKEFLAGS" : (char *)""; *p;) {
        size_t length = strcspn(p, " ");
        if (length == 2 && !memcmp(p, "--", 2)) break;
        if (p[0] != '-' ? e && p == *e + sizeof "MAKEFLAGS" && !memchr(p, '=', length) : p[1] != '-') {
            size_t n;
            for (n = 0; n < length; n++) {
                i |= p[n] == 'i';
                k |= p[n] == 'k';
                j |= p[n] == 'j';
                if (p[0] == '-' && n) break; /* -j2, -Idirectory: one letter and its value */
            }
        }
        j |= length > 12 && !memcmp(p, "--jobserver-", 12);
        p += length;
        p += strspn(p, " ");
    }
    if (i) put(t, 'i');
    if (k) put(t, 'k');
    if (j) put(t, 'j');
}

static int note_begin(pid_t make, long long start)
{
    static char record[RECORD], cwd[PATH_MAX];
    struct text t = { record, record + sizeof record - 1 };
    struct text name = { id, id + sizeof id - 1 };
    struct text child = { inherited, inherited + sizeof inherited - 1 };
    char **level = entry("MAKELEVEL");
    struct stat so_far;
    off_t size = fstat(log_file, &so_far) ? COUNTED : so_far.st_size;

    if (size + RECORD > LONGEST) {
        append("c\n", 2);
        return 0;
    }

    put_number(&name, getpid());
    put(&name, '-');
    put_number(&name, start);
    put_string(&child, "__innerloop=");
    put_string(&child, id);
    put(&child, ':');
    put_string(&child, log_path);

    put_string(&t, "b\t");
    put_string(&t, id);
    put(&t, '\t');
    if (memchr(member, '-', (size_t)(log_path - member))) put_name(&t, member, (size_t)(log_path - 1 - member), sizeof id);
    put(&t, '\t');
    put_number(&t, make);
    put(&t, '\t');
    put_number(&t, level ? atoi(*level + sizeof "MAKELEVEL") - 1 : 0);
    put(&t, '\t');
    put_flags(&t);
    put(&t, '\t');
    put_number(&t, start);
    put(&t, '\t');
    if (getcwd(cwd, sizeof cwd)) put_name(&t, cwd, strlen(cwd), 4000);
    put(&t, '\t');
    put_name(&t, field[TARGET].at, field[TARGET].length, 2000);
    put(&t, '\t');
    if (size < WHOLE) put_list(&t, field[NORMAL], 6000);
    put(&t, '\t');
    if (size < WHOLE) put_list(&t, field[ORDER], 3000);
    *t.at++ = '\n';
    return append(record, (size_t)(t.at - record));
}

static void note_end(int status, const struct rusage *used)
{
    char record[256];
    struct text t = { record, record + sizeof record };

    put_string(&t, "e\t");
    put_string(&t, id);
    put(&t, '\t');
    put_number(&t, now());
    put(&t, '\t');
    put_number(&t, WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status));
    put(&t, '\t');
    put_number(&t, used->ru_utime.tv_sec * 1000000LL + used->ru_utime.tv_usec);
    put(&t, '\t');
    put_number(&t, used->ru_stime.tv_sec * 1000000LL + used->ru_stime.tv_usec);
    put(&t, '\t');
    put_number(&t, used->ru_maxrss);
    put(&t, '\n');
    append(record, (size_t)(t.at - record)); /* on a full disk the line has no end */
}

/* ---- starting the line, as make does ---- */

static int needs_shell(const char *word)
{
    static const char always[] = " . : break case cd continue eval exec exit export for if login logout read readonly set"
                                 " shift test times trap umask wait while ";
    static const char before[] = " switch ";                                          /* 4.3 */
    static const char since[] = " alias bg command fc fg getopts hash jobs return type unalias ";
    static const char since_382[] = " ulimit unset ";
    char key[16];
    size_t length = strlen(word);

    if (length > sizeof key - 3 || strchr(word, ' ')) return 0;
    key[0] = ' ';
    memcpy(key + 1, word, length);
    memcpy(key + 1 + length, " ", 2);
    return strstr(always, key) || strstr(old_make ? before : since, key) || (!oldest_make && strstr(since_382, key));
}

/* make starts a line without a shell where it holds nothing that a shell would have to look at. The same rules here
 * (make's job.c, construct_command_argv_internal), since what is seen differs: error messages, process ids, speed.
 * Fills `argv` and `text`, which have room for the line; returns 0 where a shell is needed. */
static int plain(const char *p, char **argv, char *text)
{
    int i = 0, quote = 0, equals = 0, command = 0, empty = 0;
    char *out = argv[0] = text;

    while (*p == ' ' || *p == '\t') p++;
    for (; *p; p++) {
        if (quote) {
            if (*p == quote) {
                quote = 0;
                if (out == argv[0] || out[-1] == 0) empty = 1;
            } else if (*p == '\\' && p[1] == '\n') {
                if (quote == '"') p++;
                else { *out++ = *p++; *out++ = *p; }
            } else if (*p == '\n' || (quote == '"' && strchr("\\$`", *p)))
                return 0;
            else
                *out++ = *p;
        } else if (strchr("#;*?[]&|<>(){}$`^~!\n", *p))
            return 0;
        else if (*p == '=') {
            if (!command) return 0;
            equals = 1;
            *out++ = '=';
        } else if (*p == '\\') {
            if (p[1] == '\n') {
                p++;
                if (out == argv[i])
                    while (p[1] == ' ' || p[1] == '\t') p++;
            } else if (p[1])
                *out++ = *++p;
        } else if (*p == '\'' || *p == '"')
            quote = *p;
        else if (*p == ' ' || *p == '\t') {
            *out++ = 0;
            argv[++i] = out;
            empty = 0;
            command |= !equals;
            equals = 0;
            if (i == 1 && needs_shell(argv[0])) return 0;
            while (p[1] == ' ' || p[1] == '\t') p++;
        } else
            *out++ = *p;
    }
    if (quote) return 0;
    *out = 0;
    if (argv[i][0] || empty) i++;
    argv[i] = NULL;
    return i > 0 && !(i == 1 && needs_shell(argv[0]));
}

static void say(const char *name, int error)
{
    char message[2 * PATH_MAX], program[PATH_MAX] = "make", path[32];
    struct text t = { message, message + sizeof message - 1 }, p = { path, path + sizeof path - 1 };
    char **e = entry("MAKELEVEL"), *slash;
    int level = e ? atoi(*e + sizeof "MAKELEVEL") - told : 0, file; /* before 4.4 a $(shell) gets make's own */

    put_string(&p, "/proc/");
    put_number(&p, getppid());
    put_string(&p, "/cmdline");
    *p.at = 0;
    if ((file = open(path, O_RDONLY | O_CLOEXEC)) >= 0) {
        ssize_t length = read(file, program, sizeof program - 1);
        if (length > 0) program[length] = 0;
        close(file);
    }
    slash = strrchr(program, '/');
    put_string(&t, slash ? slash + 1 : program);
    if (level > 0) {
        put(&t, '[');
        put_number(&t, level);
        put(&t, ']');
    }
    put_string(&t, ": ");
    if (old_make && error != ENOENT) put_string(&t, "execvp: ");
    put_string(&t, name);
    put_string(&t, ": ");
    put_string(&t, old_make && error == ENOENT ? "Command not found" : strerror(error));
    put(&t, '\n');
    if (write(2, message, (size_t)(t.at - message)) < 0) return;
}

/* exec as make does it, by the PATH of the command. Returns only where that failed: why. */
static int become(char **argv)
{
    char **e = entry("PATH"), path[PATH_MAX], *name = argv[0];
    const char *p = e ? *e + sizeof "PATH" : "/bin:/usr/bin";
    int error = ENOENT;

    if (strchr(name, '/') || !*name) {
        execve(name, argv, environ);
        error = errno;
        memcpy(path, name, strlen(name) < PATH_MAX ? strlen(name) + 1 : 1);
    } else {
        size_t length = strlen(name);
        for (;; p++) {
            size_t n = strcspn(p, ":");
            if (n + length + 3 < sizeof path) {
                memcpy(path, p, n);
                if (n) path[n] = '/';
                memcpy(path + n + (n > 0), name, length + 1);
                execve(path, argv, environ);
                if (errno == ENOEXEC || (errno != ENOENT && errno != ENOTDIR && errno != EACCES)) { error = errno; break; }
                if (errno == EACCES) error = EACCES;
            }
            p += n;
            if (!*p) break;
        }
    }
    if (error == ENOEXEC) { /* a script without a first line that says what it is for */
        char **shell = old_make ? entry("SHELL") : NULL, **words;
        int n = 0;

        while (argv[n]) n++;
        words = alloca(((size_t)n + 2) * sizeof *words);
        words[0] = shell ? *shell + sizeof "SHELL" : "/bin/sh";
        memcpy(words + 1, argv, ((size_t)n + 1) * sizeof *words);
        words[1] = old_make ? name : path;
        execve(words[0], words, environ);
        error = errno;
    }
    return error;
}

/* A SHELL that is this very file (a Makefile may hand its SHELL on) would start itself for ever. */
static char *not_myself(char *shell)
{
    static char standard[32] = "/bin/sh";
    struct stat me, it;
    const char *base = strrchr(shell, '/');

    if (!base || !strncmp(shell, "/bin/", 5) || stat(shell, &it) || stat("/proc/self/exe", &me)) return shell;
    if (me.st_dev != it.st_dev || me.st_ino != it.st_ino) return shell;
    base++;
    if (strlen(base) < 8 && strcmp(base, "other") && strcmp(base, "exec")) strcpy(standard + 5, base);
    return standard;
}

/* ---- waiting ---- */

static int has_signal(const char *status, const char *key, int number)
{
    const char *p = strstr(status, key);

    return p && (strtoull(p + strlen(key), NULL, 16) >> (number - 1) & 1);
}

/* The recipe signalled its parent, `$$PPID`, and means make: pass it on, unless make was reached as well (`kill 0`). */
static void tell_make(pid_t make, int number)
{
    char status[4096];

    if (!read_proc(make, "/status", status, sizeof status)) return;
    if (has_signal(status, "SigPnd:\t", number) || has_signal(status, "ShdPnd:\t", number)) return;
    if (number == SIGTERM || number == SIGHUP || number == SIGINT || number == SIGQUIT)
        if (!has_signal(status, "SigCgt:\t", number)) return; /* it is dying of it */
    kill(make, number);
}

/* Wait for the line. make sends TERM to the processes that it started, so to us: passed on. What the terminal sends
 * reaches the line without us. What anybody else sends to us alone is passed on after a moment in which a signal to
 * the whole group would have done its work. INT and QUIT are left alone: a second one means "at once" to many programs.
 * Stop signals are not touched: make does not ask whether we stopped, and the terminal stops and continues all. */
static int wait_for(pid_t child, pid_t make, const sigset_t *watched, struct rusage *used)
{
    const struct timespec grace = { 0, GRACE };
    unsigned held = 0;
    int status, number;

    for (;;) {
        siginfo_t info;

        info.si_pid = 0;
        number = held ? sigtimedwait(watched, &info, &grace) : sigwaitinfo(watched, &info);
        if (number == SIGCHLD || number < 0) {
            if (wait4(child, &status, WNOHANG, used) == child) return status;
        }
        if (number < 0) {
            int n;
            if (errno != EAGAIN && errno != EINTR) { /* cannot be */
                while (wait4(child, &status, 0, used) != child);
                return status;
            }
            if (errno == EAGAIN)
                for (n = 1; n < 32; n++)
                    if (held >> n & 1) kill(child, n);
            if (errno == EAGAIN) held = 0;
        } else if (number != SIGCHLD && info.si_code <= 0) {
            if (info.si_pid == make) {
                kill(child, number);
                held &= ~(1U << number);
            } else if (info.si_pid > 0 && descends(info.si_pid, child, 0))
                tell_make(make, number);
            else if (number != SIGINT && number != SIGQUIT)
                held |= 1U << number;
        }
    }
}

/* End as the line ended, so that make sees what it would have seen. One core file is enough. */
static void end_like(int status)
{
    sigset_t one;
    int number;

    if (!WIFSIGNALED(status)) _exit(WEXITSTATUS(status));
    number = WTERMSIG(status);
    if (WCOREDUMP(status)) {
        struct rlimit none;
        if (!getrlimit(RLIMIT_CORE, &none)) {
            none.rlim_cur = 0;
            setrlimit(RLIMIT_CORE, &none);
        }
    }
    if (number != SIGKILL) signal(number, SIG_DFL);
    sigemptyset(&one);
    sigaddset(&one, number);
    kill(getpid(), number);
    sigprocmask(SIG_UNBLOCK, &one, NULL);
    _exit(128 + number); /* not reached: the signal ended us */
}

/* Whether a process is a make. Before 4.4 the $(shell) of one that was attached to gets no variable of ours; and whoever
 * found our path in a file that a Makefile wrote, and is no make, gets the shell that stood for. */
static int is_make(pid_t pid)
{
    char name[32];

    read_proc(pid, "/comm", name, sizeof name);
    return strstr(name, "make") != NULL;
}

/* Which make's rules hold: that is in our path, because no variable reaches each $(shell). */
static void look_at_version(const char *path, const char *slash)
{
    static const char old[] = "/make-4.2", oldest[] = "/make-3.81";

    if (!slash) return;
    oldest_make = slash - path >= (long)sizeof oldest - 1 && !memcmp(slash - sizeof oldest + 1, oldest, sizeof oldest - 1);
    old_make = oldest_make || (slash - path >= (long)sizeof old - 1 && !memcmp(slash - sizeof old + 1, old, sizeof old - 1));
}

static void measure(char **argv, pid_t make)
{
    static const int numbers[] = { SIGCHLD, SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGPIPE, SIGALRM, SIGVTALRM, SIGPROF,
                                   SIGABRT, SIGTRAP, SIGIO, SIGPWR, SIGSTKFLT, SIGXCPU, SIGSYS, SIGSEGV, SIGBUS, SIGFPE, SIGILL };
    struct sigaction ours, theirs;
    struct rusage used;
    sigset_t watched, mask;
    volatile int error = 0;
    int status;
    size_t i;
    pid_t child;

    sigemptyset(&watched);
    for (i = 0; i < sizeof numbers / sizeof *numbers; i++) sigaddset(&watched, numbers[i]);
    sigprocmask(SIG_BLOCK, &watched, &mask);
    memset(&ours, 0, sizeof ours);
    ours.sa_handler = SIG_DFL;
    sigaction(SIGCHLD, &ours, &theirs); /* ignored, it would take the line's status away */

    child = vfork();
    if (child == 0) {
        if (theirs.sa_handler == SIG_IGN) sigaction(SIGCHLD, &theirs, NULL);
        sigprocmask(SIG_SETMASK, &mask, NULL);
        error = become(argv);
        _exit(127);
    }
    if (child < 0) { /* no more processes: become the line itself */
        if (theirs.sa_handler == SIG_IGN) sigaction(SIGCHLD, &theirs, NULL);
        sigprocmask(SIG_SETMASK, &mask, NULL);
        return;
    }
    status = wait_for(child, make, &watched, &used);
    if (error) say(argv[0], error);
    note_end(status, &used);
    end_like(status);
}

int main(int argc, char **argv)
{
    const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL, *base = slash ? slash + 1 : argc > 0 ? argv[0] : "sh";
    char standard[PATH_MAX] = "/bin/";
    pid_t make = getppid();
    int shell_is_sh, by_exec = !strcmp(base, "exec"), inside, measured, error;
    char **e;

    look_at_version(argc > 0 ? argv[0] : "", slash);

    if (by_exec && argc > 1)
        argv++, argc--;
    else if (argc > 1 && argv[1][0] == '@') {
        argv++, argc--;
        argv[0]++;
    } else if (argc > 0 && strlen(base) < 8) {
        strcpy(standard + 5, strcmp(base, "other") && !by_exec ? base : "sh");
        argv[0] = standard;
    } else
        return 127;

    told = entry("__innerloop_line") != NULL;
    inside = entry("__innerloop") != NULL || is_make(make);
    measured = describe();
    if (by_exec) restore();
    argv[0] = not_myself(argv[0]);
    shell_is_sh = !strcmp(argv[0], "/bin/sh");
    if (measured && !has_room()) {
        leave();
        measured = 0;
    }
    measured = measured && !is_function(make) && open_log() && descends(make, (pid_t)atoi(member), 1) && note_begin(make, now());
    if (measured && (e = entry("__innerloop"))) *e = inherited;
    if (shell_is_sh && argc == 3 && (!strcmp(argv[1], "-c") || !strcmp(argv[1], "-ec")) && inside && !entry("IFS")) {
        const char *p;
        size_t words = 2;
        char **direct;

        for (p = argv[2]; *p; p++) words += *p == ' ' || *p == '\t';
        direct = alloca(words * sizeof *direct);
        if (plain(argv[2], direct, alloca((size_t)(p - argv[2]) + 1))) argv = direct;
    }
    if (measured) measure(argv, make);
    error = become(argv);
    say(argv[0], error);
    return 127;
}
