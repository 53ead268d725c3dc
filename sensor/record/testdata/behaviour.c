// The traced programs that Go cannot be: each argument vector "NAME [ARG...]" is
// one behaviour. They work in their working directory and end with 1 as soon as
// something is not as it would be without a recorder.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define want(condition)                                                                  \
	do {                                                                             \
		if (!(condition)) {                                                      \
			fprintf(stderr, "line %d: %s: %s\n", __LINE__, #condition, strerror(errno)); \
			_exit(1);                                                        \
		}                                                                        \
	} while (0)

static char *self; // path of this program

static void use(const char *name) {
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	want(fd >= 0);
	want(close(fd) == 0);
}

static void join(pid_t pid) {
	int status;
	want(waitpid(pid, &status, 0) == pid);
	want(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

// become runs another behaviour of this program in this process.
static void become(const char *path, const char *name, const char *arg) {
	execl(path, "behaviour", name, arg, (char *)NULL);
	want(!"execl");
}

static void uses(char **args) {
	for (; *args; args++)
		use(*args);
}

// family goes on as processes with unusual ids do: relative names, children, a
// program of its own.
static void family(void) {
	use("file");
	pid_t child = fork();
	if (child == 0) {
		want(chdir("sub") == 0);
		use("child");
		pid_t grandchild = fork();
		if (grandchild == 0) {
			use("../grandchild");
			_exit(0);
		}
		join(grandchild);
		_exit(0);
	}
	join(child);
	child = vfork();
	if (child == 0)
		become(self, "uses", "executed");
	join(child);
}

static void euid(char **args) {
	want(seteuid(33) == 0);
	want(geteuid() == 33 && getuid() == 0);
	family();
	want(geteuid() == 33 && getuid() == 0);
	want(open("private", O_RDONLY) < 0 && errno == EACCES);
	want(seteuid(0) == 0);
	use("private");
}

static void egid(char **args) {
	want(setegid(33) == 0);
	family();
	want(getegid() == 33 && getgid() == 0);
	want(setegid(0) == 0);
	use("private");
}

static void ruid(char **args) { // as pam_keyinit(8)
	want(setregid(33, -1) == 0 && setreuid(33, -1) == 0);
	family();
	want(getuid() == 33 && geteuid() == 0 && getgid() == 33);
	want(setreuid(0, -1) == 0 && setregid(0, -1) == 0);
	use("private");
}

static void fsuid(char **args) {
	setfsgid(33);
	setfsuid(33);
	want(open("private", O_RDONLY) < 0 && errno == EACCES);
	family();
	want(open("private", O_RDONLY) < 0 && errno == EACCES);
	setfsuid(0);
	use("private");
}

static void signalled(int number) { (void)number; }

static void euid_signals(char **args) { // signals and stops reach a process that the recorder holds
	struct sigaction action = {.sa_handler = signalled, .sa_flags = SA_RESTART};
	want(sigaction(SIGUSR1, &action, NULL) == 0);
	sigset_t set; // blocked before the child is there that waits for it
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	want(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	want(seteuid(33) == 0);
	pid_t child = fork();
	if (child == 0) {
		for (int number; sigwait(&set, &number) == 0 && number == SIGUSR2;) {
			use("file");
			_exit(0);
		}
	}
	for (int i = 0; i < 20; i++) {
		want(kill(getpid(), SIGUSR1) == 0);
		use("many");
	}
	int status;
	want(kill(child, SIGSTOP) == 0);
	want(waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status));
	want(kill(child, SIGUSR2) == 0 && kill(child, SIGCONT) == 0);
	join(child);
}

static void capabilities(unsigned permitted, unsigned effective) {
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2] = {{effective, permitted, 0}, {0, 0, 0}};
	want(syscall(SYS_capset, &header, data) == 0);
}

static void keepcaps(char **args) {
	want(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0);
	want(setresgid(33, 33, 33) == 0 && setresuid(33, 33, 33) == 0);
	family(); // all capabilities permitted
	capabilities(1 << CAP_NET_BIND_SERVICE, 1 << CAP_NET_BIND_SERVICE);
	use("less");
}

static void capset_root(char **args) {
	capabilities(0, 0);
	family();
}

static long default_dumpable(void) { // of a process that changed its user
	FILE *f = fopen("/proc/sys/fs/suid_dumpable", "r");
	int value;
	want(f && fscanf(f, "%d", &value) == 1);
	fclose(f);
	return value;
}

static void dumpable(char **args) {
	if (*args) { // after an execve
		want(prctl(PR_GET_DUMPABLE) == atoi(*args));
		use("executed");
		return;
	}
	want(prctl(PR_GET_DUMPABLE) == 1);
	want(prctl(PR_SET_DUMPABLE, 2) < 0 && errno == EINVAL);
	want(prctl(PR_SET_DUMPABLE, 0) == 0 && prctl(PR_GET_DUMPABLE) == 0);
	use("file");
	pid_t child = fork();
	if (child == 0) {
		want(prctl(PR_GET_DUMPABLE) == 0);
		become(self, "dumpable", "1");
	}
	join(child);
	want(prctl(PR_GET_DUMPABLE) == 0);
	want(prctl(PR_SET_DUMPABLE, 1) == 0 && prctl(PR_GET_DUMPABLE) == 1);
	want(setuid(33) == 0);
	want(prctl(PR_GET_DUMPABLE) == default_dumpable());
	use("after");
}

static pthread_barrier_t barrier;

static void *reader(void *number) {
	char name[32];
	for (int i = 0; i < 200; i++) {
		snprintf(name, sizeof name, "before%ld", (long)number);
		use(name);
	}
	pthread_barrier_wait(&barrier); // the first thread changes all threads' ids
	pthread_barrier_wait(&barrier);
	want(getuid() == 33);
	for (int i = 0; i < 200; i++) {
		snprintf(name, sizeof name, "after%ld", (long)number);
		use(name);
	}
	return NULL;
}

static void *busy(void *stop) {
	while (!__atomic_load_n((int *)stop, __ATOMIC_ACQUIRE))
		use("busy");
	return NULL;
}

static void threads(char **args) { // setuid(2) of glibc: all threads, by signals
	pthread_t ids[4], other;
	int stop = 0;
	want(pthread_barrier_init(&barrier, NULL, 5) == 0);
	for (long i = 0; i < 4; i++)
		want(pthread_create(&ids[i], NULL, reader, (void *)i) == 0);
	want(pthread_create(&other, NULL, busy, &stop) == 0);
	pthread_barrier_wait(&barrier);
	want(setgid(33) == 0 && seteuid(33) == 0 && seteuid(0) == 0 && setuid(33) == 0);
	pthread_barrier_wait(&barrier);
	for (int i = 0; i < 4; i++)
		want(pthread_join(ids[i], NULL) == 0);
	__atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
	want(pthread_join(other, NULL) == 0);
}

static int cloned(void *name) {
	use(name);
	return 0;
}

static void clones(char **args) {
	static char stack[2][64 << 10] __attribute__((aligned(16)));
	join(clone(cloned, stack[0] + sizeof stack[0], SIGCHLD, "plain"));
	join(clone(cloned, stack[1] + sizeof stack[1], CLONE_VM | CLONE_FS | CLONE_FILES | SIGCHLD, "shared"));
	pid_t child = vfork();
	if (child == 0)
		become(self, "uses", "vforked");
	join(child);
}

static void execs(char **args) { // the program args[0], which uses args[1]
	pid_t child = fork();
	if (child == 0)
		become(args[0], "deeper", args[1]);
	join(child);
}

static void deeper(char **args) {
	use(*args);
	pid_t child = fork();
	if (child == 0) {
		use("forked");
		_exit(0);
	}
	join(child);
}

static void closes(char **args) {
	want(syscall(SYS_close_range, 0, ~0U, 0) == 0);
	want(open("file", O_RDONLY) == 0);
}

static void kills(char **args) { // its process group, the sensor is in none of its
	if (fork() == 0) {
		use("file");
		kill(0, SIGKILL);
	}
	for (;;)
		pause();
}

static void daemonises(char **args) {
	int ends[2];
	want(pipe(ends) == 0);
	if (fork() == 0) {
		pid_t middle = setsid();
		want(middle > 0);
		if (fork() == 0) {
			while (getppid() == middle)
				sched_yield();
			use("file");
			_exit(write(ends[1], "x", 1) != 1);
		}
		_exit(0);
	}
	want(close(ends[1]) == 0);
	char done;
	want(read(ends[0], &done, 1) == 1);
}

// filters installs a filter that fails getpgrp-like calls and returns what
// seccomp(2) says.
static long filters(unsigned flags) {
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getsid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOTTY),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof code / sizeof *code, code};
	want(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

static void own_filter(char **args) {
	want(filters(0) == 0);
	want(getsid(0) < 0 && errno == ENOTTY);
	use("file");
	want(setuid(33) == 0);
	family();
}

static void own_listener(char **args) {
	want(filters(SECCOMP_FILTER_FLAG_NEW_LISTENER) < 0 && errno == EBUSY);
	use("file");
}

static void traces(char **args) { // as a debugger does, from the start and at every call
	pid_t child = fork();
	if (child == 0) {
		want(ptrace(PTRACE_TRACEME, 0, 0, 0) == 0);
		become(self, "uses", "file");
	}
	int status, stops = 0;
	while (waitpid(child, &status, 0) == child && WIFSTOPPED(status)) {
		stops++;
		want(ptrace(PTRACE_SYSCALL, child, 0, 0) == 0);
	}
	want(WIFEXITED(status) && WEXITSTATUS(status) == 0 && stops > 3);
}

static void traces_setuid(char **args) { // a tracee that changes its user
	pid_t child = fork();
	if (child == 0) {
		want(ptrace(PTRACE_TRACEME, 0, 0, 0) == 0);
		want(raise(SIGSTOP) == 0);
		want(setuid(33) == 0);
		use("file");
		_exit(0);
	}
	int status;
	while (waitpid(child, &status, 0) == child && WIFSTOPPED(status))
		want(ptrace(PTRACE_CONT, child, 0, 0) == 0);
	want(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void identity(char **args) { // what a setuid program sees
	want(geteuid() == (uid_t)atoi(args[0]));
	use("file");
}

// looks looks for count names that are not there.
static void looks(const char *prefix, int count) {
	char name[256];
	for (int i = 0; i < count; i++) {
		snprintf(name, sizeof name, "%s-%d", prefix, i);
		want(access(name, F_OK) < 0 && errno == ENOENT);
	}
}

static void look_all(char **args) { // args[1] names each, in args[0] processes at once
	int processes = atoi(args[0]);
	char prefix[32];
	pid_t ids[64];
	want(processes <= 64);
	for (int p = 0; p < processes; p++)
		if ((ids[p] = fork()) == 0) {
			snprintf(prefix, sizeof prefix, "look%d", p);
			looks(prefix, atoi(args[1]));
			_exit(0);
		}
	for (int p = 0; p < processes; p++)
		join(ids[p]);
}

static void short_lived(char **args) { // args[0] processes, every tenth with a program of its own
	char prefix[32];
	for (int i = 0; i < atoi(args[0]); i++) {
		pid_t child = fork();
		want(child >= 0);
		if (child == 0) {
			snprintf(prefix, sizeof prefix, "short%d", i);
			looks(prefix, 1);
			if (i % 10 == 0)
				become(self, "uses", NULL);
			_exit(0);
		}
		join(child);
	}
}

static void bomb(char **args) { // forks until it may not; args[0] processes then exist, with this one
	int full[2];
	pid_t first = getpid();
	char prefix[32], byte = 0;
	want(pipe(full) == 0);
	while (fork() >= 0)
		;
	want(errno == EAGAIN);
	if (getpid() == first) {
		for (int i = 1; i < atoi(args[0]); i++)
			want(read(full[0], &byte, 1) == 1);
		signal(SIGTERM, SIG_IGN);
		want(kill(0, SIGTERM) == 0);
		while (wait(NULL) > 0)
			;
		return;
	}
	snprintf(prefix, sizeof prefix, "bomb%d", getpid());
	looks(prefix, 1);
	want(write(full[1], &byte, 1) == 1);
	for (;;)
		pause();
}

static void as_user(char **args) { // args[0] the user, args[1] a program, then its behaviour
	int id = atoi(args[0]);
	char *program = args[1];
	want(setresgid(id, id, id) == 0 && setresuid(id, id, id) == 0);
	args[1] = "behaviour";
	execv(program, args + 1);
	want(!"execv");
}

static void each(char **args);

static const struct {
	const char *name;
	void (*run)(char **args);
} behaviours[] = {
	{"uses", uses}, {"euid", euid}, {"egid", egid}, {"ruid", ruid}, {"fsuid", fsuid},
	{"euid-signals", euid_signals}, {"keepcaps", keepcaps}, {"capset", capset_root},
	{"dumpable", dumpable}, {"threads", threads}, {"clones", clones}, {"execs", execs},
	{"deeper", deeper}, {"closes", closes}, {"kills", kills}, {"daemonises", daemonises},
	{"own-filter", own_filter}, {"own-listener", own_listener}, {"traces", traces},
	{"traces-setuid", traces_setuid}, {"identity", identity}, {"looks", look_all},
	{"short", short_lived}, {"bomb", bomb}, {"as", as_user},
	{"each", each},
};

// each runs one behaviour after the other, the argument vectors that "--" divide,
// each in a session and in a folder of its own: 0, 1, ...
static void each(char **args) {
	char folder[16];
	for (int i = 0; *args; i++) {
		char *list[16] = {"behaviour"};
		for (int n = 1; *args && strcmp(*args, "--") != 0 && n < 15; args++)
			list[n++] = *args;
		if (*args)
			args++;
		pid_t child = fork();
		want(child >= 0);
		if (child == 0) {
			snprintf(folder, sizeof folder, "%d", i);
			want(setsid() > 0 && chdir(folder) == 0);
			execv(self, list);
			want(!"execv");
		}
		int status;
		want(waitpid(child, &status, 0) == child);
		if (status != 0 && !(WIFSIGNALED(status) && strcmp(list[1], "kills") == 0)) {
			fprintf(stderr, "%s: status %#x\n", list[1], status);
			_exit(1);
		}
	}
}

int main(int argc, char **argv) {
	static char path[4096];
	want(argc > 1);
	want(readlink("/proc/self/exe", path, sizeof path - 1) > 0);
	self = path;
	for (size_t i = 0; i < sizeof behaviours / sizeof *behaviours; i++)
		if (strcmp(behaviours[i].name, argv[1]) == 0) {
			behaviours[i].run(argv + 2);
			return 0;
		}
	fprintf(stderr, "no behaviour %s\n", argv[1]);
	return 1;
}
