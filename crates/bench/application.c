/* usage: application CONFDIR < orders
 *
 * A PAM application like those that people log in to: in C, so that nothing is
 * loaded on its behalf but libpam and the C library.
 *
 * Orders are lines:
 *   ready                           says that it has come this far
 *   restore FROM TO                 TO gets FROM's content and time, durably
 *   login SERVICE USER CODE [FILE]  one transaction, pam_start to pam_end; with
 *                                   FILE, 4 KiB are written to it durably
 * Each order is answered by a line. A login's: what pam_authenticate and
 * pam_setcred returned (0: in), nanoseconds of the transaction, nanoseconds of
 * pam_start alone, and KiB of resident memory before pam_end.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <security/pam_appl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

extern int pam_start_confdir(const char *, const char *, const struct pam_conv *,
                             const char *, pam_handle_t **);

static int converse(int count, const struct pam_message **messages,
                    struct pam_response **responses, void *code)
{
    struct pam_response *answers = calloc(count, sizeof *answers);
    if (!answers)
        return PAM_BUF_ERR;
    for (int i = 0; i < count; i++)
        if (messages[i]->msg_style == PAM_PROMPT_ECHO_OFF ||
            messages[i]->msg_style == PAM_PROMPT_ECHO_ON)
            answers[i].resp = strdup(code);
    *responses = answers;
    return PAM_SUCCESS;
}

/* Nobody waits here, however long a failure should take. */
static void no_delay(int status, unsigned microseconds, void *data)
{
    (void)status, (void)microseconds, (void)data;
}

static long long now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static long resident(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file) {
        if (fscanf(file, "%*d %ld", &pages) != 1)
            pages = 0;
        fclose(file);
    }
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void fail(const char *what)
{
    perror(what);
    exit(2);
}

static void restore(const char *from, const char *to)
{
    static char content[16 << 20];
    struct stat stat;
    int in = open(from, O_RDONLY | O_CLOEXEC);
    if (in < 0 || fstat(in, &stat) != 0)
        fail(from);
    ssize_t length = read(in, content, sizeof content);
    int out = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (length != stat.st_size || out < 0 || ftruncate(out, length) != 0 ||
        pwrite(out, content, length, 0) != length)
        fail(to);
    struct timespec times[2] = {stat.st_atim, stat.st_mtim};
    if (fsync(out) != 0 || futimens(out, times) != 0)
        fail(to);
    close(in);
    close(out);
    puts("restored");
}

static void write_durably(const char *path)
{
    static const char block[4096];
    int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0 || pwrite(file, block, sizeof block, 0) != sizeof block || fdatasync(file) != 0)
        fail(path);
    close(file);
}

static void log_in(const char *directory, const char *service, const char *user,
                   char *code, const char *durable)
{
    struct pam_conv conversation = {converse, code};
    union { void (*function)(int, unsigned, void *); void *item; } delay = {no_delay};
    pam_handle_t *handle = NULL;
    long long begin = now();
    if (pam_start_confdir(service, user, &conversation, directory, &handle) != PAM_SUCCESS)
        fail("pam_start");
    long long started = now();
    pam_set_item(handle, PAM_RHOST, "192.0.2.7");
    pam_set_item(handle, PAM_FAIL_DELAY, delay.item);
    int status = pam_authenticate(handle, 0);
    if (status == PAM_SUCCESS)
        status = pam_setcred(handle, PAM_ESTABLISH_CRED);
    if (durable)
        write_durably(durable);
    long long before = now();
    long memory = resident();
    long long after = now();
    pam_end(handle, status);
    printf("%d %lld %lld %ld\n", status, now() - begin - (after - before), started - begin, memory);
}

int main(int count, char **arguments)
{
    static char line[4096], from[1024], to[1024], code[256], file[1024];
    if (count != 2) {
        fputs("usage: application CONFDIR < orders\n", stderr);
        return 2;
    }
    while (fgets(line, sizeof line, stdin)) {
        int words;
        if (strcmp(line, "ready\n") == 0)
            puts("ready");
        else if (sscanf(line, "restore %1023s %1023s", from, to) == 2)
            restore(from, to);
        else if ((words = sscanf(line, "login %1023s %1023s %255s %1023s", from, to, code, file)) >= 3)
            log_in(arguments[1], from, to, code, words == 4 ? file : NULL);
        else
            return 2;
        fflush(stdout);
    }
    return 0;
}
