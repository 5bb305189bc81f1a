/*
 * Runs a program and does something to it at one of its system calls:
 *
 *   inject [-c CALLS] [-n NTH] [-a ACTION] [-f] [-o] [-l LOG] -p PREFIX … -- PROGRAM [ARGUMENT]…
 *
 * Counted are the calls of the program, its threads and its children, together, that touch a file at or below one of
 * the prefixes: what the runtime does to start itself is not among them. CALLS are names with commas between (default:
 * all below). At the NTH of them ACTION happens: `signal:N` sends signal N to the program (not to its children), `error:N`
 * fails the call with errno N instead of making it; with -f that and every later one. With -o
 * the calls of children do not count. LOG gets a line for each counted call; a plus begins those of the program itself.
 *
 * Descriptor 3 hears of it, a line each: `fired CALL PATH`, and `exit N` or `killed N` as soon as the program has ended.
 * Children may live longer: inject ends with the last of them, and takes all with it when it is killed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

/* Where a call names files: pairs of (argument of the directory or -1, argument of the path or -1). */
struct call {
  const char *name;
  long number;
  int places[4];
};

#define NONE -2
#define AT(d, p) {d, p, NONE, NONE}
#define PATH(p) {-1, p, NONE, NONE}
#define FD(f) {f, -1, NONE, NONE}
#define TWO(a, b, c, d) {a, b, c, d}

static const struct call calls[] = {
    {"open", SYS_open, PATH(0)},
    {"openat", SYS_openat, AT(0, 1)},
    {"openat2", SYS_openat2, AT(0, 1)},
    {"mkdir", SYS_mkdir, PATH(0)},
    {"mkdirat", SYS_mkdirat, AT(0, 1)},
    {"mknod", SYS_mknod, PATH(0)},
    {"mknodat", SYS_mknodat, AT(0, 1)},
    {"symlink", SYS_symlink, PATH(1)},
    {"symlinkat", SYS_symlinkat, AT(1, 2)},
    {"link", SYS_link, TWO(-1, 0, -1, 1)},
    {"linkat", SYS_linkat, TWO(0, 1, 2, 3)},
    {"rename", SYS_rename, TWO(-1, 0, -1, 1)},
    {"renameat", SYS_renameat, TWO(0, 1, 2, 3)},
    {"renameat2", SYS_renameat2, TWO(0, 1, 2, 3)},
    {"unlink", SYS_unlink, PATH(0)},
    {"unlinkat", SYS_unlinkat, AT(0, 1)},
    {"rmdir", SYS_rmdir, PATH(0)},
    {"chmod", SYS_chmod, PATH(0)},
    {"fchmod", SYS_fchmod, FD(0)},
    {"fchmodat", SYS_fchmodat, AT(0, 1)},
    {"chown", SYS_chown, PATH(0)},
    {"lchown", SYS_lchown, PATH(0)},
    {"fchown", SYS_fchown, FD(0)},
    {"fchownat", SYS_fchownat, AT(0, 1)},
    {"utimensat", SYS_utimensat, AT(0, 1)},
    {"setxattr", SYS_setxattr, PATH(0)},
    {"lsetxattr", SYS_lsetxattr, PATH(0)},
    {"fsetxattr", SYS_fsetxattr, FD(0)},
    {"getxattr", SYS_getxattr, PATH(0)},
    {"lgetxattr", SYS_lgetxattr, PATH(0)},
    {"fgetxattr", SYS_fgetxattr, FD(0)},
    {"listxattr", SYS_listxattr, PATH(0)},
    {"llistxattr", SYS_llistxattr, PATH(0)},
    {"flistxattr", SYS_flistxattr, FD(0)},
    {"removexattr", SYS_removexattr, PATH(0)},
    {"lremovexattr", SYS_lremovexattr, PATH(0)},
    {"fremovexattr", SYS_fremovexattr, FD(0)},
    {"read", SYS_read, FD(0)},
    {"pread64", SYS_pread64, FD(0)},
    {"readv", SYS_readv, FD(0)},
    {"preadv", SYS_preadv, FD(0)},
    {"write", SYS_write, FD(0)},
    {"pwrite64", SYS_pwrite64, FD(0)},
    {"writev", SYS_writev, FD(0)},
    {"pwritev", SYS_pwritev, FD(0)},
    {"copy_file_range", SYS_copy_file_range, FD(2)},
    {"sendfile", SYS_sendfile, FD(0)},
    {"ioctl", SYS_ioctl, FD(0)},
    {"ftruncate", SYS_ftruncate, FD(0)},
    {"fallocate", SYS_fallocate, FD(0)},
    {"fsync", SYS_fsync, FD(0)},
    {"fdatasync", SYS_fdatasync, FD(0)},
    {"syncfs", SYS_syncfs, FD(0)},
    {"flock", SYS_flock, FD(0)},
    {"getdents64", SYS_getdents64, FD(0)},
    {"statx", SYS_statx, AT(0, 1)},
    {"newfstatat", SYS_newfstatat, AT(0, 1)},
    {"stat", SYS_stat, PATH(0)},
    {"lstat", SYS_lstat, PATH(0)},
    {"fstat", SYS_fstat, FD(0)},
    {"readlink", SYS_readlink, PATH(0)},
    {"readlinkat", SYS_readlinkat, AT(0, 1)},
    {"close", SYS_close, FD(0)},
    {"mount", SYS_mount, PATH(1)},
    {"umount2", SYS_umount2, PATH(0)},
};
#define CALLS (int)(sizeof calls / sizeof *calls)
#define PREFIXES 8
#define REPORT 3

static struct {
  const char *prefixes[PREFIXES];
  int prefix_count;
  char chosen[sizeof calls / sizeof *calls];
  long nth;
  int error, signal, and_later, own_only;
  FILE *log;
} plan;

static pid_t program;
static long counted;
/* The thread whose call is made, and fails afterwards. */
static pid_t late;

static void die(const char *what) {
  perror(what);
  exit(125);
}

__attribute__((format(printf, 1, 2))) static void report(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vdprintf(REPORT, format, arguments);
  va_end(arguments);
}

/* The path of a descriptor, or of the working directory. */
static int of_descriptor(pid_t thread, int fd, char *path) {
  char link[64];
  if (fd == AT_FDCWD)
    snprintf(link, sizeof link, "/proc/%d/cwd", thread);
  else
    snprintf(link, sizeof link, "/proc/%d/fd/%d", thread, fd);
  ssize_t length = readlink(link, path, PATH_MAX - 1);
  path[length < 0 ? 0 : length] = 0;
  return length > 0;
}

/* Pages are read one by one: a path may end just before one that is not there. */
static int read_text(pid_t thread, unsigned long address, char *text) {
  size_t length = 0;
  while (length < PATH_MAX - 1) {
    size_t rest = 4096 - (address + length) % 4096;
    if (rest > PATH_MAX - 1 - length) rest = PATH_MAX - 1 - length;
    struct iovec here = {text + length, rest}, there = {(void *)(address + length), rest};
    ssize_t got = process_vm_readv(thread, &here, 1, &there, 1, 0);
    if (got <= 0) break;
    if (memchr(text + length, 0, got) != NULL) return 1;
    length += got;
  }
  text[length] = 0;
  return 0;
}

/* /proc/self/fd/N/… becomes what N leads to. */
static void follow_handle(pid_t thread, char *path) {
  int fd, length = 0;
  char base[PATH_MAX], whole[2 * PATH_MAX];
  if (sscanf(path, "/proc/self/fd/%d%n", &fd, &length) != 1 || length == 0) return;
  if (!of_descriptor(thread, fd, base)) return;
  snprintf(whole, sizeof whole, "%s%s", base, path + length);
  whole[PATH_MAX - 1] = 0;
  strcpy(path, whole);
}

static void resolve(pid_t thread, int directory, unsigned long address, char *path) {
  char text[PATH_MAX], whole[2 * PATH_MAX + 1];
  text[0] = 0;
  if (address != 0) read_text(thread, address, text);
  follow_handle(thread, text);
  if (text[0] == '/') {
    strcpy(path, text);
    return;
  }
  if (!of_descriptor(thread, directory, path) || text[0] == 0) return;
  snprintf(whole, sizeof whole, "%s/%s", path, text);
  whole[PATH_MAX - 1] = 0;
  strcpy(path, whole);
}

/* Whether a thread is one of the program, and not of a child. */
static int is_own(pid_t thread) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/task/%d", program, thread);
  return access(path, F_OK) == 0;
}

static int is_below(const char *path) {
  for (int i = 0; i < plan.prefix_count; i++) {
    size_t length = strlen(plan.prefixes[i]);
    if (strncmp(path, plan.prefixes[i], length) == 0 && (path[length] == 0 || path[length] == '/' || path[length] == ' '))
      return 1;
  }
  return 0;
}

static int touches(pid_t thread, const struct call *call, const unsigned long *arguments, char *path) {
  for (int i = 0; i < 4 && call->places[i] != NONE; i += 2) {
    int directory = call->places[i] < 0 ? AT_FDCWD : (int)arguments[call->places[i]];
    if (call->places[i + 1] < 0) {
      if (!of_descriptor(thread, directory, path)) continue;
    } else {
      resolve(thread, directory, arguments[call->places[i + 1]], path);
    }
    if (is_below(path)) return 1;
  }
  return 0;
}

static const struct call *find(long number) {
  for (int i = 0; i < CALLS; i++)
    if (calls[i].number == number && plan.chosen[i]) return &calls[i];
  return NULL;
}

static void fire(pid_t thread, struct user_regs_struct *registers, const struct call *call, const char *path) {
  report("fired %s %s\n", call->name, path);
  if (plan.signal != 0) kill(program, plan.signal);
  if (plan.error == 0) return;
  if (call->number == SYS_close) {
    late = thread; /* the kernel closes the descriptor even where it says EIO */
    return;
  }
  registers->orig_rax = -1;
  registers->rax = -plan.error;
  ptrace(PTRACE_SETREGS, thread, 0, registers);
}

static void at_call(pid_t thread) {
  struct user_regs_struct it;
  char path[PATH_MAX];
  if (ptrace(PTRACE_GETREGS, thread, 0, &it) != 0) return;
  const struct call *call = find(it.orig_rax);
  const unsigned long arguments[] = {it.rdi, it.rsi, it.rdx, it.r10, it.r8, it.r9};
  if (call == NULL || !touches(thread, call, arguments, path)) return;
  if (plan.own_only && !is_own(thread)) return;
  counted++;
  if (plan.log != NULL) fprintf(plan.log, "%s%s %s\n", is_own(thread) ? "+" : "", call->name, path);
  if (counted == plan.nth || (plan.and_later && plan.nth != 0 && counted > plan.nth)) fire(thread, &it, call, path);
}

/* Only the calls of the table stop the program: the others are as fast as ever. */
static void filter_calls(void) {
  struct sock_filter code[CALLS + 5];
  int n = 0;
  code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
  for (int i = 0; i < CALLS; i++)
    if (plan.chosen[i]) code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[i].number, 0, 0);
  int trace = n + 1;
  for (int i = 1; i < n; i++) code[i].jt = trace - i - 1;
  code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
  struct sock_fprog filter = {n, code};
  if (geteuid() != 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) die("no_new_privs");
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) die("seccomp");
}

static void start(char **command) {
  int gate[2];
  if (pipe2(gate, O_CLOEXEC) != 0) die("pipe");
  program = fork();
  if (program < 0) die("fork");
  if (program == 0) {
    char go;
    close(gate[1]);
    if (read(gate[0], &go, 1) != 1) exit(125);
    filter_calls();
    execvp(command[0], command);
    die(command[0]);
  }
  close(gate[0]);
  long options = PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC |
                 PTRACE_O_TRACESECCOMP | PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL;
  if (ptrace(PTRACE_SEIZE, program, 0, options) != 0) die("ptrace");
  if (write(gate[1], "x", 1) != 1) die("write");
  close(gate[1]);
}

static void ended(pid_t process, int status) {
  if (process != program) return;
  if (WIFEXITED(status))
    report("exit %d\n", WEXITSTATUS(status));
  else
    report("killed %d\n", WTERMSIG(status));
}

static void fail_late(pid_t thread) {
  struct user_regs_struct registers;
  late = 0;
  if (ptrace(PTRACE_GETREGS, thread, 0, &registers) == 0) {
    registers.rax = -plan.error;
    ptrace(PTRACE_SETREGS, thread, 0, &registers);
  }
  ptrace(PTRACE_CONT, thread, 0, 0);
}

static void stopped(pid_t thread, int status) {
  int event = status >> 16, signal = WSTOPSIG(status);
  if (signal == (SIGTRAP | 0x80)) {
    fail_late(thread);
    return;
  }
  if (event == PTRACE_EVENT_SECCOMP) at_call(thread);
  if (thread == late) {
    ptrace(PTRACE_SYSCALL, thread, 0, 0);
    return;
  }
  if (event == PTRACE_EVENT_STOP && (signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU))
    ptrace(PTRACE_LISTEN, thread, 0, 0);
  else
    ptrace(PTRACE_CONT, thread, 0, event == 0 ? signal : 0);
}

static void choose(char *names) {
  memset(plan.chosen, 0, sizeof plan.chosen);
  for (char *name = strtok(names, ","); name != NULL; name = strtok(NULL, ",")) {
    int found = 0;
    for (int i = 0; i < CALLS; i++)
      if (strcmp(calls[i].name, name) == 0) plan.chosen[i] = found = 1;
    if (!found) {
      fprintf(stderr, "%s is not a call that is known here\n", name);
      exit(125);
    }
  }
}

int main(int count, char **arguments) {
  int option;
  memset(plan.chosen, 1, sizeof plan.chosen);
  while ((option = getopt(count, arguments, "+c:n:a:fol:p:")) != -1) {
    if (option == 'c') choose(optarg);
    else if (option == 'n') plan.nth = atol(optarg);
    else if (option == 'f') plan.and_later = 1;
    else if (option == 'o') plan.own_only = 1;
    else if (option == 'p' && plan.prefix_count < PREFIXES) plan.prefixes[plan.prefix_count++] = optarg;
    else if (option == 'l' && (plan.log = fopen(optarg, "we")) == NULL) die(optarg);
    else if (option == 'a' && sscanf(optarg, "error:%d", &plan.error) + sscanf(optarg, "signal:%d", &plan.signal) < 1)
      return 125;
    else if (option == '?') return 125;
  }
  fcntl(REPORT, F_SETFD, FD_CLOEXEC);
  start(arguments + optind);
  int status;
  pid_t thread;
  while ((thread = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR) {
    if (thread <= 0) continue;
    if (WIFSTOPPED(status)) stopped(thread, status);
    else ended(thread, status);
  }
  if (plan.log != NULL) fclose(plan.log);
  return 0;
}
