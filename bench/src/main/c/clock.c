/*
 * Times CNI plugins as a runtime on the node calls them: from fork to the end of the process.
 *
 *   clock seq|par NODE_NETNS PLUGIN COMMAND OUTPUT
 *
 * Reads lines "CONTAINER NETNS CONFIG_FILE" and calls the plugin for each, one after the other or
 * all at once; prints "EXIT_CODE MICROSECONDS KILOBYTES" for each in the same order, the last being
 * the most memory that was resident. What plugins print goes to the file OUTPUT.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 1024 };

struct call {
  char container[128], netns[256], config[512];
  pid_t pid;
  double begun, ended;
  int status;
  long resident;
};

static struct call calls[MOST];

static double micros(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
}

static void start(struct call *call, const char *plugin, const char *command, const char *output) {
  setenv("CNI_COMMAND", command, 1);
  setenv("CNI_CONTAINERID", call->container, 1);
  setenv("CNI_NETNS", call->netns, 1);
  setenv("CNI_IFNAME", "eth0", 1);
  int in = open(call->config, O_RDONLY | O_CLOEXEC);
  int out = open(output, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (in < 0 || out < 0) {
    perror(call->config);
    exit(2);
  }
  call->begun = micros();
  call->pid = vfork();
  if (call->pid == 0) {
    dup2(in, 0);
    dup2(out, 1);
    execl(plugin, plugin, (char *)NULL);
    _exit(127);
  }
  close(in);
  close(out);
}

static void await_one(int count) {
  int status;
  struct rusage usage;
  pid_t pid = wait4(-1, &status, 0, &usage);
  double now = micros();
  for (int i = 0; i < count; i++) {
    if (calls[i].pid == pid) {
      calls[i].ended = now;
      calls[i].resident = usage.ru_maxrss;
      calls[i].status = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
    }
  }
}

int main(int count, char **arguments) {
  if (count != 6) return 2;
  int together = !strcmp(arguments[1], "par");
  int netns = open(arguments[2], O_RDONLY | O_CLOEXEC);
  if (netns < 0 || setns(netns, CLONE_NEWNET) < 0) {
    perror(arguments[2]);
    return 2;
  }
  int lines = 0;
  while (lines < MOST && scanf("%127s %255s %511s", calls[lines].container, calls[lines].netns,
                               calls[lines].config) == 3) {
    lines++;
  }
  for (int i = 0; i < lines; i++) {
    start(&calls[i], arguments[3], arguments[4], arguments[5]);
    if (!together) await_one(lines);
  }
  if (together) {
    for (int i = 0; i < lines; i++) await_one(lines);
  }
  for (int i = 0; i < lines; i++) {
    printf("%d %.0f %ld\n", calls[i].status, calls[i].ended - calls[i].begun, calls[i].resident);
  }
  return 0;
}
