// A 32 bit program without a C library: gcc makes it where no 32 bit libraries
// are. It makes each system call as argv[1] says, by "int" $0x80 or by the entry
// in the "vdso" that C libraries use, and ends with the number of the line in
// which something is not as it would be without a recorder.
typedef unsigned int word;

enum {
	EXIT = 1, FORK = 2, OPEN = 5, WAITPID = 7, SOCKETCALL = 102, PRCTL = 172, SETRESUID = 208, GETEUID = 201,
	SETRESGID = 210, SENDMSG = 370, SENDMMSG = 345,
};
enum { EACCES = 13, ENOENT = 2, AT_SYSINFO = 32, AF_UNIX = 1, SOCK_DGRAM = 2, CALL_SOCKET = 1, CALL_SENDMSG = 16 };

static word sysinfo; // address of the entry, 0 for int $0x80

static int call(int nr, word a, word b, word c, word d, word e) {
	int result;
	if (sysinfo)
		__asm__ volatile("call *%1" : "=a"(result) : "m"(sysinfo), "a"(nr), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e) : "memory");
	else
		__asm__ volatile("int $0x80" : "=a"(result) : "a"(nr), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e) : "memory");
	return result;
}

#define want(condition)                                     \
	do {                                                \
		if (!(condition))                           \
			call(EXIT, __LINE__, 0, 0, 0, 0);   \
	} while (0)
#define OPENS(name) (call(OPEN, (word)(name), 0, 0, 0, 0))

static void family(const char *mine, const char *childs) {
	want(OPENS(mine) >= 0);
	int child = call(FORK, 0, 0, 0, 0, 0), status = 1;
	if (child == 0) {
		want(OPENS(childs) >= 0);
		call(EXIT, 0, 0, 0, 0, 0);
	}
	want(call(WAITPID, child, (word)&status, 0, 0, 0) == child && status == 0);
}

struct address {
	unsigned short family;
	char path[108];
};

struct message { // struct mmsghdr
	struct address *name;
	word name_size;
	void *data;
	word rest[4], sent;
};

static void send(void) {
	static struct address one = {AF_UNIX, "sub/one"}, two = {AF_UNIX, "sub/two"}, three = {AF_UNIX, "sub/three"};
	struct message m = {&one, sizeof one};
	word socket[] = {AF_UNIX, SOCK_DGRAM, 0};
	int fd = call(SOCKETCALL, CALL_SOCKET, (word)socket, 0, 0, 0);
	want(fd >= 0);
	word args[] = {fd, (word)&m, 0};
	want(call(SOCKETCALL, CALL_SENDMSG, (word)args, 0, 0, 0) == -ENOENT);
	m.name = &two;
	want(call(SENDMSG, fd, (word)&m, 0, 0, 0) == -ENOENT);
	m.name = &three;
	want(call(SENDMMSG, fd, (word)&m, 1, 0, 0) == -ENOENT);
}

__attribute__((used)) static void start(word *stack) {
	char **argv = (char **)stack + 1;
	word *aux = stack + stack[0] + 2;
	want(stack[0] == 2);
	while (*aux++) // the environment
		;
	for (; argv[1][0] == 'v' && aux[0]; aux += 2)
		if (aux[0] == AT_SYSINFO)
			sysinfo = aux[1];
	want(argv[1][0] != 'v' || sysinfo);

	send();
	want(call(SETRESUID, -1, 33, -1, 0, 0) == 0 && call(GETEUID, 0, 0, 0, 0, 0) == 33);
	want(OPENS("private") == -EACCES);
	family("partly", "partly-child");
	want(call(SETRESUID, -1, 0, -1, 0, 0) == 0);
	want(OPENS("private") >= 0);
	want(call(PRCTL, 4, 0, 0, 0, 0) == 0 && call(PRCTL, 3, 0, 0, 0, 0) == 0); // dumpable
	want(call(SETRESGID, 33, 33, 33, 0, 0) == 0 && call(SETRESUID, 33, 33, 33, 0, 0) == 0);
	want(OPENS("private") == -EACCES);
	family("dropped", "dropped-child");
	call(EXIT, 0, 0, 0, 0, 0);
}

__asm__(".globl _start\n_start: xor %ebp, %ebp\n mov %esp, %eax\n and $-16, %esp\n sub $12, %esp\n push %eax\n call start\n");
