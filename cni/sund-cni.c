/*
 * sund-cni: what a container runtime executes. It hands the call to the agent's Unix socket and
 * prints what comes back. It decides nothing: what a configuration means, the agent knows.
 *
 *   environment + stdin ──► {"config":STDIN,"command":...}, end of writing ──► RUN_DIR/agent.sock
 *   stdout, exit code   ◄── '0' or '1', then JSON ──
 *
 * The name under which it is called goes along, since it also stands in for the reference plugins
 * (a link named bridge, host-local, portmap, bandwidth).
 *
 * It answers by itself where the agent cannot: VERSION, no configuration on stdin, no agent. Every
 * wait is bounded. It allocates nothing and links statically: a runtime starts it twice for every
 * pod, on nodes whose C library it does not know.
 *
 * SUND_RUN_DIR names another directory of the socket.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#ifndef RUN_DIR /* tests of runtimes that keep the environment from the plugin */
#define RUN_DIR "/run/sund"
#endif
#define SOCKET_NAME "/agent.sock"
#define NEWEST "1.1.0"
#define VERSIONS \
  "\"0.1.0\",\"0.2.0\",\"0.3.0\",\"0.3.1\",\"0.4.0\",\"1.0.0\",\"1.1.0\""

/* The runtime writes at once or not at all. */
#ifndef INPUT_MILLIS /* tests have less patience */
#define INPUT_MILLIS 10000
#endif
/* The agent ends every call within 60 s; CRI's own limit is 120 s. */
#ifndef AGENT_MILLIS
#define AGENT_MILLIS 70000
#endif
/* The agent reads at most 1 MiB. */
#define MOST_BYTES (1 << 20)

enum { TRY_AGAIN_LATER = 11, NOT_AVAILABLE = 50, UNDECODABLE = 6, BAD_ENVIRONMENT = 4 };

/* A page of it is touched for each page used, so size costs nothing. */
struct buffer {
  size_t length;
  char bytes[MOST_BYTES];
};

static struct buffer input;
static struct buffer request;
static struct buffer answer;

static void put_bytes(struct buffer *to, const char *bytes, size_t length) {
  if (length > sizeof to->bytes - to->length) length = sizeof to->bytes - to->length;
  memcpy(to->bytes + to->length, bytes, length);
  to->length += length;
}

static void put(struct buffer *to, const char *text) { put_bytes(to, text, strlen(text)); }

static void put_string(struct buffer *to, const char *text) {
  static const char hex[] = "0123456789abcdef";
  put(to, "\"");
  for (; *text; text++) {
    unsigned char c = (unsigned char)*text;
    if (c == '"' || c == '\\') {
      char escaped[2] = {'\\', (char)c};
      put_bytes(to, escaped, 2);
    } else if (c < 0x20) {
      char escaped[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
      put_bytes(to, escaped, 6);
    } else {
      put_bytes(to, text, 1);
    }
  }
  put(to, "\"");
}

static void put_number(struct buffer *to, int number) {
  char digits[4];
  int at = 4;
  do digits[--at] = (char)('0' + number % 10);
  while ((number /= 10) > 0 && at > 0);
  put_bytes(to, digits + at, (size_t)(4 - at));
}

static const char *variable(const char *name) {
  const char *value = getenv(name);
  return value ? value : "";
}

static void write_all(int fd, const struct buffer *from) {
  for (size_t done = 0; done < from->length;) {
    ssize_t count = write(fd, from->bytes + done, from->length - done);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) _exit(1); /* nobody reads: there is nobody to tell */
    done += (size_t)count;
  }
}

static long long now_millis(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* Waits until `fd` is ready for `events`; 0 when the time is over. */
static int wait_for(int fd, short events, long long deadline) {
  for (;;) {
    long long left = deadline - now_millis();
    if (left <= 0) return 0;
    struct pollfd one = {.fd = fd, .events = events};
    int ready = poll(&one, 1, (int)left);
    if (ready > 0) return 1;
    if (ready < 0 && errno != EINTR) return 0;
  }
}

/*
 * The configuration's own cniVersion: the string at that key of the outermost object. An error must
 * have the form that was asked for, also when there is no agent to say so.
 */
static void asked_version(char *version, size_t size) {
  static const char key[] = "cniVersion";
  int depth = 0, is_key = 0, found = 0;
  version[0] = 0;
  for (size_t i = 0; i < input.length; i++) {
    char c = input.bytes[i];
    if (c == '{' || c == '[') depth++, is_key = c == '{';
    if (c == '}' || c == ']') depth--;
    if (c == ',') is_key = 1, found = 0;
    if (c == ':') is_key = 0;
    if (c != '"') continue;
    size_t begin = ++i;
    for (; i < input.length && input.bytes[i] != '"'; i++) {
      if (input.bytes[i] == '\\') i++;
    }
    size_t length = i - begin;
    if (i >= input.length || depth != 1) continue;
    if (is_key) {
      found = length == sizeof key - 1 && !memcmp(input.bytes + begin, key, length);
    } else if (found && length < size) {
      for (size_t k = 0; k < length; k++) {
        char d = input.bytes[begin + k];
        if ((d < '0' || d > '9') && d != '.') return;
      }
      memcpy(version, input.bytes + begin, length);
      version[length] = 0;
      return;
    }
  }
}

/* Whether it is one of those that the agent understands. */
static int known(const char *version) {
  char quoted[20] = "\"";
  strcat(quoted, version);
  strcat(quoted, "\"");
  return strstr(VERSIONS, quoted) != NULL;
}

/* Prints an error object and ends. */
static void fail(int code, const char *message, const char *cause, const char *remedy) {
  char version[16];
  asked_version(version, sizeof version);
  struct buffer *out = &answer;
  out->length = 0;
  put(out, "{\"cniVersion\":");
  put_string(out, known(version) ? version : NEWEST);
  put(out, ",\"code\":");
  put_number(out, code);
  put(out, ",\"msg\":");
  static struct buffer text;
  text.length = 0;
  put(&text, message);
  put(&text, cause);
  put_bytes(&text, ".", 2); /* with its end */
  put_string(out, text.bytes);
  put(out, ",\"details\":");
  put_string(out, remedy);
  put(out, "}\n");
  write_all(STDOUT_FILENO, out);
  exit(1);
}

static void read_input(void) {
  long long deadline = now_millis() + INPUT_MILLIS;
  for (;;) {
    if (!wait_for(STDIN_FILENO, POLLIN, deadline)) {
      fail(UNDECODABLE, "The network configuration did not end within the time", "",
           "The runtime writes it to standard input and closes it; by hand, redirect a file.");
    }
    ssize_t count =
        read(STDIN_FILENO, input.bytes + input.length, sizeof input.bytes - input.length);
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (count <= 0) return;
    input.length += (size_t)count;
    if (input.length > MOST_BYTES / 2) {
      input.length = 0;
      fail(UNDECODABLE, "The network configuration is longer than 512 KiB", "",
           "Send one JSON object.");
    }
  }
}

static void answer_version(void) {
  char version[16];
  asked_version(version, sizeof version);
  put(&answer, "{\"cniVersion\":");
  put_string(&answer, known(version) ? version : NEWEST);
  put(&answer, ",\"supportedVersions\":[" VERSIONS "]}\n");
  write_all(STDOUT_FILENO, &answer);
}

static void put_field(const char *field, const char *value) {
  put(&request, ",\"");
  put(&request, field);
  put(&request, "\":");
  put_string(&request, value);
}

static void make_request(const char *program) {
  const char *slash = strrchr(program, '/');
  /* The configuration comes first, so that the line in the agent's error is the file's line. */
  put(&request, "{\"config\":");
  put_bytes(&request, input.bytes, input.length);
  put_field("command", variable("CNI_COMMAND"));
  put_field("containerId", variable("CNI_CONTAINERID"));
  put_field("netns", variable("CNI_NETNS"));
  put_field("ifname", variable("CNI_IFNAME"));
  put_field("args", variable("CNI_ARGS"));
  put_field("path", variable("CNI_PATH"));
  put_field("netnsOverride", variable("CNI_NETNS_OVERRIDE"));
  put_field("plugin", slash ? slash + 1 : program);
  put(&request, "}");
}

/* The agent is away, or goes away: whatever it was asked has not been answered. */
static void away(const char *message, const char *cause) {
  int status = !strcmp(variable("CNI_COMMAND"), "STATUS");
  fail(status ? NOT_AVAILABLE : TRY_AGAIN_LATER, message, cause,
       "Start the agent, or see in its log why it does not run ('sund status' says how it is);"
       " the runtime tries again by itself.");
}

static int connect_agent(long long deadline) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  const char *dir = variable("SUND_RUN_DIR");
  if (!dir[0]) dir = RUN_DIR;
  if (strlen(dir) + sizeof SOCKET_NAME > sizeof address.sun_path) {
    fail(BAD_ENVIRONMENT, "SUND_RUN_DIR is too long for a socket's path: ", dir,
         "Use a directory with a path of at most 96 bytes.");
  }
  strcpy(address.sun_path, dir);
  strcat(address.sun_path, SOCKET_NAME);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) away("No socket can be made: ", strerror(errno));
  while (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
    /* EAGAIN: the agent's queue is full; a burst of pods, or an agent that stands still. */
    if (errno == EAGAIN && now_millis() < deadline) {
      struct timespec pause = {.tv_nsec = 2000000};
      nanosleep(&pause, NULL);
    } else if (errno != EINTR) {
      static struct buffer text;
      put(&text, address.sun_path);
      put(&text, ": ");
      put(&text, strerror(errno));
      put_bytes(&text, "", 1);
      away("The sund agent of this node does not answer at ", text.bytes);
    }
  }
  return fd;
}

static void ask_agent(void) {
  long long deadline = now_millis() + AGENT_MILLIS;
  int fd = connect_agent(deadline);
  for (size_t done = 0; done < request.length;) {
    if (!wait_for(fd, POLLOUT, deadline)) away("The sund agent did not listen within the time", "");
    ssize_t count = send(fd, request.bytes + done, request.length - done, MSG_NOSIGNAL);
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (count < 0) break; /* it may have answered before it broke off */
    done += (size_t)count;
  }
  shutdown(fd, SHUT_WR);
  for (;;) {
    if (!wait_for(fd, POLLIN, deadline)) away("The sund agent did not answer within the time", "");
    ssize_t count = recv(fd, answer.bytes + answer.length, sizeof answer.bytes - answer.length, 0);
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (count < 0) away("The sund agent broke off: ", strerror(errno));
    if (count == 0) break;
    answer.length += (size_t)count;
  }
  if (answer.length == 0) away("The sund agent broke off without an answer", "");
}

int main(int count, char **arguments) {
  signal(SIGPIPE, SIG_IGN);
  const char *command = variable("CNI_COMMAND");
  if (!command[0]) {
    fail(BAD_ENVIRONMENT, "CNI_COMMAND is missing from the environment", "",
         "A container runtime starts this program and sets it to ADD, DEL, CHECK, GC, STATUS or"
         " VERSION; by hand, try: echo '{\"cniVersion\":\"1.0.0\"}' | CNI_COMMAND=VERSION sund-cni");
  }
  read_input();
  if (!strcmp(command, "VERSION")) {
    answer_version();
    return 0;
  }
  if (input.length == 0) {
    fail(UNDECODABLE, "There is no network configuration on standard input", "",
         "The runtime writes it there; by hand, redirect a file.");
  }
  make_request(count > 0 ? arguments[0] : "sund-cni");
  ask_agent();
  char code = answer.bytes[0];
  struct buffer *out = &request;
  out->length = 0;
  put_bytes(out, answer.bytes + 1, answer.length - 1);
  if (out->length > 0) put(out, "\n");
  write_all(STDOUT_FILENO, out);
  return code == '0' ? 0 : 1;
}
