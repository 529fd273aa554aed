/*
 * luciola_ring.h: files of a Luciola file system by rings in memory that is shared with the agent of this machine.
 * One header, no library; C11 or C++11 with gcc or clang, Linux, little-endian.
 *
 * NAME
 *   luciola_ring_open, luciola_ring_close                    a ring
 *   luciola_ring_open_file, luciola_ring_close_file          files
 *   luciola_ring_put, luciola_ring_submit                    operations go in
 *   luciola_ring_wait, luciola_ring_take                     completions come out
 *   luciola_ring_arm, luciola_ring_disarm                    for programs with an event loop of their own
 *
 * SYNOPSIS
 *   luciola_ring ring;
 *   if (luciola_ring_open(&ring, "/run/luciola/agent.sock", 256, 64 << 20) != 0) die(ring.error);
 *   uint64_t length;
 *   int64_t file = luciola_ring_open_file(&ring, "/data/shard-0", O_RDONLY, 0, &length);
 *   if (file < 0) die(ring.error);
 *   for (int i = 0; i < 64; i++)
 *     luciola_ring_put(&ring, LUCIOLA_RING_READ, file, i * 4096, i * 4096, 4096, i);
 *   luciola_ring_submit(&ring);
 *   luciola_completion done[64];
 *   while (luciola_ring_wait(&ring, 1, -1) > 0) {
 *     int count = luciola_ring_take(&ring, done, 64);
 *     ... ring.data + done[0].own * 4096 has done[0].result bytes ...
 *   }
 *   luciola_ring_close(&ring);
 *
 * DESCRIPTION
 *   luciola_ring_open asks for room for `entries` operations (a power of two) and `data_bytes` of memory (whole pages of
 *   4096) at ring.data, in which everything that is read or written lies. luciola_ring_close gives all of it back; so
 *   does the end of the process, however that comes. Either makes durable what was written.
 *
 *   luciola_ring_open_file takes O_RDONLY, O_WRONLY or O_RDWR with O_CREAT, O_EXCL, O_TRUNC, and returns the number of
 *   the file. A file that is opened to write may also be read, where that is permitted. luciola_ring_close_file waits
 *   for what is under way and makes durable what was written; its error is the last word about that.
 *
 *   luciola_ring_put prepares an operation: LUCIOLA_RING_READ fills data[place, place + length) from an offset of the
 *   file, LUCIOLA_RING_WRITE writes it there, LUCIOLA_RING_SYNC (offset, place and length zero) makes durable every
 *   write of the file that was put in before. -EAGAIN: as many operations are under way as there are entries.
 *   luciola_ring_submit shows the agent all that was prepared, with a system call only if the agent sleeps.
 *
 *   luciola_ring_wait waits until `wanted` completions can be taken, or all that are under way if those are fewer, at
 *   most `timeout_ms` (-1: for ever), and returns how many there are. It looks `ring.spin` times before it sleeps (0).
 *   luciola_ring_take takes up to `max` of them, without waiting: `own` is what was put in, `result` the number of bytes
 *   (of a read: fewer at the end of the file, 0 past it), 0 for a sync, or a negative errno.
 *
 *   Between luciola_ring_submit and its completion the memory of an operation belongs to the agent. A write that is
 *   completed is seen by other programs after a sync. Operations have no order but this: writes and syncs of one file
 *   are done in the order in which they were put in, and a read finds every write that was completed before.
 *
 *   In a program with an event loop: luciola_ring_arm(ring, wanted) returns 1 if so many are there, else 0, and from
 *   then on ring.complete_fd becomes readable when they are, ring.socket_fd when the agent has something to say or is
 *   gone. Then luciola_ring_disarm, which returns 0 or why the ring has ended, and luciola_ring_take.
 *
 * RETURN VALUES
 *   Negative numbers are errnos; ring.error has the cause in words. -ECONNRESET: the agent is gone. -EPROTO: the ring was
 *   misused or the agent is of another version. A ring that has ended stays so: close it, open another one.
 *
 * THREADS
 *   One thread at a time uses a ring. Rings are independent of each other. A ring does not survive fork in the child.
 *
 * The protocol is described in docs/agent-protocol.md.
 */
#ifndef LUCIOLA_RING_H
#define LUCIOLA_RING_H

#if !defined(_POSIX_C_SOURCE) && !defined(_GNU_SOURCE)
#define _POSIX_C_SOURCE 200809L
#endif

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "luciola_ring.h: little-endian machines only"
#endif

#define LUCIOLA_RING_LAYOUT 1
#define LUCIOLA_RING_PROTOCOL 1

#define LUCIOLA_RING_READ 1
#define LUCIOLA_RING_WRITE 2
#define LUCIOLA_RING_SYNC 3

/* How an operation ended. */
typedef struct luciola_completion {
  uint64_t own;
  int64_t result;
} luciola_completion;

/* A ring; what is below the line is the header's own. */
typedef struct luciola_ring {
  uint8_t *data;               /* memory for what is read and written */
  uint64_t data_bytes;         /* its size */
  uint32_t entries;            /* most operations under way */
  uint32_t spin;               /* looks before sleeping; the program's to set */
  uint64_t operation_bytes_max; /* longest operation */
  int complete_fd;             /* see luciola_ring_arm */
  int socket_fd;               /* see luciola_ring_arm */
  char error[1024];            /* why the last call failed */
  /* --- */
  int submit_fd;
  int ended; /* errno, or 0 */
  uint8_t *memory;
  size_t memory_bytes;
  uint64_t submissions_at, completions_at;
  uint32_t put, taken;
  uint64_t requests;
} luciola_ring;

/* One place of the submission ring. */
typedef struct luciola__submission {
  uint32_t operation, file;
  uint64_t offset, place;
  uint32_t length, zero;
  uint64_t own, zeros[3];
} luciola__submission;

#define LUCIOLA__WORD(ring, at) ((uint32_t *)(void *)((ring)->memory + (at)))
#define LUCIOLA__SUBMISSIONS_PUT 128
#define LUCIOLA__SUBMISSIONS_TAKEN 256
#define LUCIOLA__COMPLETIONS_PUT 384
#define LUCIOLA__COMPLETIONS_TAKEN 512
#define LUCIOLA__AGENT_SLEEPS 640
#define LUCIOLA__OWNER_WAITS 768
#define LUCIOLA__CONTROL_BYTES_MAX (8u << 20)

#if defined(__GNUC__)
#define LUCIOLA__MAYBE_UNUSED __attribute__((unused))
#define LUCIOLA__PRINTS __attribute__((unused, format(printf, 3, 4)))
#else
#define LUCIOLA__MAYBE_UNUSED
#define LUCIOLA__PRINTS
#endif

/* Notes why something failed; returns -code. */
LUCIOLA__PRINTS static int luciola__fault(luciola_ring *ring, int code, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(ring->error, sizeof ring->error, format, arguments);
  va_end(arguments);
  return -code;
}

/* Notes why the ring has ended; returns -code. */
LUCIOLA__MAYBE_UNUSED static int luciola__ended(luciola_ring *ring, int code) {
  if (ring->ended == 0) ring->ended = code;
  return -ring->ended;
}

/* ---- Control messages: JSON in frames. ---- */

/* Past a JSON string that begins at its quote; NULL if it does not end. */
LUCIOLA__MAYBE_UNUSED static const char *luciola__past_string(const char *at) {
  for (at++; *at; at++) {
    if (*at == '\\' && at[1]) {
      at++;
    } else if (*at == '"') {
      return at + 1;
    }
  }
  return NULL;
}

LUCIOLA__MAYBE_UNUSED static const char *luciola__past_space(const char *at) {
  while (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r') at++;
  return at;
}

/* The value of the first member of that name; NULL if there is none. */
LUCIOLA__MAYBE_UNUSED static const char *luciola__member(const char *json, const char *name) {
  size_t bytes = strlen(name);
  while (*json) {
    if (*json != '"') {
      json++;
      continue;
    }
    const char *end = luciola__past_string(json);
    if (end == NULL) return NULL;
    const char *after = luciola__past_space(end);
    if (*after == ':' && (size_t)(end - json) == bytes + 2 && memcmp(json + 1, name, bytes) == 0)
      return luciola__past_space(after + 1);
    json = end;
  }
  return NULL;
}

LUCIOLA__MAYBE_UNUSED static int luciola__number(const char *json, const char *name, uint64_t *value) {
  const char *at = luciola__member(json, name);
  if (at == NULL || *at < '0' || *at > '9') return 0;
  *value = strtoull(at, NULL, 10);
  return 1;
}

LUCIOLA__MAYBE_UNUSED static int luciola__is_true(const char *json, const char *name) {
  const char *at = luciola__member(json, name);
  return at != NULL && strncmp(at, "true", 4) == 0;
}

/* Copies a text, cut if it does not fit; 0 if there is none. */
LUCIOLA__MAYBE_UNUSED static int luciola__text(const char *json, const char *name, char *into, size_t bytes) {
  const char *at = luciola__member(json, name);
  size_t used = 0;
  if (at == NULL || *at != '"') return 0;
  for (at++; *at && *at != '"'; at++) {
    unsigned code = (unsigned char)*at;
    if (code == '\\' && at[1]) {
      at++;
      switch (*at) {
        case 'n': code = '\n'; break;
        case 't': code = '\t'; break;
        case 'r': code = '\r'; break;
        case 'b': code = '\b'; break;
        case 'f': code = '\f'; break;
        case 'u': {
          char hex[5] = {0, 0, 0, 0, 0};
          for (int i = 0; i < 4 && at[1]; i++) hex[i] = *++at;
          code = (unsigned)strtoul(hex, NULL, 16);
          if (code > 0x7f) code = '?';
          break;
        }
        default: code = (unsigned char)*at;
      }
    }
    if (used + 1 < bytes) into[used++] = (char)code;
  }
  into[used] = 0;
  return 1;
}

/* A JSON string of some bytes, with its quotes; to be freed. NULL without memory. */
LUCIOLA__MAYBE_UNUSED static char *luciola__quoted(const char *text) {
  char *made = (char *)malloc(6 * strlen(text) + 3);
  char *at = made;
  if (made == NULL) return NULL;
  *at++ = '"';
  for (; *text; text++) {
    unsigned char each = (unsigned char)*text;
    if (each == '"' || each == '\\') {
      *at++ = '\\';
      *at++ = (char)each;
    } else if (each < 0x20) {
      at += sprintf(at, "\\u%04x", each);
    } else {
      *at++ = (char)each;
    }
  }
  *at++ = '"';
  *at = 0;
  return made;
}

LUCIOLA__MAYBE_UNUSED static int luciola__send(luciola_ring *ring, const void *bytes, size_t count) {
  const char *at = (const char *)bytes;
  while (count > 0) {
    ssize_t sent = send(ring->socket_fd, at, count, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) {
      luciola__fault(ring, ECONNRESET, "the agent is gone: %s", strerror(errno));
      return luciola__ended(ring, ECONNRESET);
    }
    at += sent;
    count -= (size_t)sent;
  }
  return 0;
}

LUCIOLA__MAYBE_UNUSED static int luciola__receive(luciola_ring *ring, void *bytes, size_t count) {
  char *at = (char *)bytes;
  while (count > 0) {
    ssize_t got = recv(ring->socket_fd, at, count, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      luciola__fault(ring, ECONNRESET, "the agent has closed the connection");
      return luciola__ended(ring, ECONNRESET);
    }
    at += got;
    count -= (size_t)got;
  }
  return 0;
}

/* The next control message, to be freed. */
LUCIOLA__MAYBE_UNUSED static int luciola__message(luciola_ring *ring, char **json) {
  uint32_t head[2];
  int code = luciola__receive(ring, head, sizeof head);
  if (code != 0) return code;
  if (head[0] != 1 || head[1] > LUCIOLA__CONTROL_BYTES_MAX) {
    luciola__fault(ring, EPROTO, "the agent sent something else: kind=%u length=%u", head[0], head[1]);
    return luciola__ended(ring, EPROTO);
  }
  char *body = (char *)malloc((size_t)head[1] + 1);
  if (body == NULL) return luciola__ended(ring, ENOMEM);
  code = luciola__receive(ring, body, head[1]);
  if (code != 0) {
    free(body);
    return code;
  }
  body[head[1]] = 0;
  *json = body;
  return 0;
}

/* What a failed reply or an error event says; returns -errno. */
LUCIOLA__MAYBE_UNUSED static int luciola__told(luciola_ring *ring, const char *json) {
  uint64_t code = 0;
  if (!luciola__number(json, "errno", &code) || code == 0 || code > 4095) code = EIO;
  if (!luciola__text(json, "message", ring->error, sizeof ring->error))
    luciola__fault(ring, (int)code, "the agent gave no reason");
  return -(int)code;
}

LUCIOLA__MAYBE_UNUSED static int luciola__frame(luciola_ring *ring, const char *json) {
  uint32_t head[2];
  head[0] = 1;
  head[1] = (uint32_t)strlen(json);
  int code = luciola__send(ring, head, sizeof head);
  return code != 0 ? code : luciola__send(ring, json, head[1]);
}

/* Asks for something and waits for the answer, to be freed. */
LUCIOLA__MAYBE_UNUSED static int luciola__ask(luciola_ring *ring, const char *json, char **answer) {
  if (ring->ended != 0) return -ring->ended;
  int code = luciola__frame(ring, json);
  while (code == 0) {
    char *body = NULL;
    code = luciola__message(ring, &body);
    if (code != 0) break;
    if (luciola__member(body, "event") != NULL) {
      code = luciola__member(body, "error") != NULL ? luciola__ended(ring, -luciola__told(ring, body)) : 0;
      free(body);
    } else if (!luciola__is_true(body, "ok")) {
      code = luciola__told(ring, body);
      free(body);
    } else {
      *answer = body;
      return 0;
    }
  }
  return code;
}

/* ---- A ring. ---- */

/* Gives everything back. Also after luciola_ring_open has failed. */
LUCIOLA__MAYBE_UNUSED static void luciola_ring_close(luciola_ring *ring) {
  if (ring->memory != NULL) munmap(ring->memory, ring->memory_bytes);
  if (ring->submit_fd >= 0) close(ring->submit_fd);
  if (ring->complete_fd >= 0) close(ring->complete_fd);
  if (ring->socket_fd >= 0) close(ring->socket_fd);
  ring->memory = NULL;
  ring->data = NULL;
  ring->submit_fd = ring->complete_fd = ring->socket_fd = -1;
  luciola__ended(ring, EBADF);
}

LUCIOLA__MAYBE_UNUSED static int luciola__map(luciola_ring *ring, const char *answer) {
  char region[512], submit[512], complete[512];
  uint64_t bytes;
  if (!luciola__text(answer, "region", region, sizeof region) ||
      !luciola__text(answer, "submitPipe", submit, sizeof submit) ||
      !luciola__text(answer, "completePipe", complete, sizeof complete) ||
      !luciola__number(answer, "regionBytes", &bytes) ||
      !luciola__number(answer, "operationBytesMax", &ring->operation_bytes_max))
    return luciola__fault(ring, EPROTO, "the agent's answer lacks something");
  int memory = open(region, O_RDWR | O_CLOEXEC);
  if (memory < 0)
    return luciola__fault(ring, errno, "agent and program must see the same directory: %s: %s", region, strerror(errno));
  void *mapped = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
  int code = errno;
  close(memory);
  if (mapped == MAP_FAILED) return luciola__fault(ring, code, "cannot map %s: %s", region, strerror(code));
  ring->memory = (uint8_t *)mapped;
  ring->memory_bytes = (size_t)bytes;
  ring->submit_fd = open(submit, O_RDWR | O_NONBLOCK | O_CLOEXEC);
  ring->complete_fd = open(complete, O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (ring->submit_fd < 0 || ring->complete_fd < 0)
    return luciola__fault(ring, errno, "cannot open the pipes beside %s: %s", region, strerror(errno));
  uint32_t words[4];
  uint64_t places[4];
  memcpy(words, ring->memory, sizeof words);
  memcpy(places, ring->memory + 16, sizeof places);
  if (memcmp(ring->memory, "LRNG", 4) != 0 || words[1] != LUCIOLA_RING_LAYOUT || places[2] + places[3] != bytes)
    return luciola__fault(ring, EPROTO, "the memory is not of this version: %s", region);
  ring->entries = words[2];
  ring->submissions_at = places[0];
  ring->completions_at = places[1];
  ring->data = ring->memory + places[2];
  ring->data_bytes = places[3];
  ring->put = __atomic_load_n(LUCIOLA__WORD(ring, LUCIOLA__SUBMISSIONS_PUT), __ATOMIC_ACQUIRE);
  ring->taken = __atomic_load_n(LUCIOLA__WORD(ring, LUCIOLA__COMPLETIONS_TAKEN), __ATOMIC_ACQUIRE);
  return luciola__frame(ring, "{\"op\":\"mapped\"}");
}

/* Asks the agent that listens at a socket for a ring; 0 or -errno. */
LUCIOLA__MAYBE_UNUSED static int luciola_ring_open(
    luciola_ring *ring, const char *agent_socket, uint32_t entries, uint64_t data_bytes) {
  struct sockaddr_un address;
  char request[256];
  char *answer = NULL;
  memset(ring, 0, sizeof *ring);
  ring->submit_fd = ring->complete_fd = ring->socket_fd = -1;
  memset(&address, 0, sizeof address);
  address.sun_family = AF_UNIX;
  if (strlen(agent_socket) >= sizeof address.sun_path)
    return luciola__fault(ring, ENAMETOOLONG, "path of the agent's socket is too long: %s", agent_socket);
  strcpy(address.sun_path, agent_socket);
  ring->socket_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (ring->socket_fd < 0 || connect(ring->socket_fd, (struct sockaddr *)(void *)&address, sizeof address) != 0) {
    int code = errno;
    luciola_ring_close(ring);
    return luciola__fault(ring, code, "no agent listens there: %s: %s", agent_socket, strerror(code));
  }
  snprintf(request, sizeof request,
           "{\"op\":\"ring\",\"id\":%llu,\"protocol\":%d,\"layout\":%d,\"entries\":%lu,\"dataBytes\":%llu}",
           (unsigned long long)++ring->requests, LUCIOLA_RING_PROTOCOL, LUCIOLA_RING_LAYOUT, (unsigned long)entries,
           (unsigned long long)data_bytes);
  int code = luciola__ask(ring, request, &answer);
  if (code == 0) {
    code = luciola__map(ring, answer);
    free(answer);
  }
  if (code != 0) luciola_ring_close(ring);
  return code;
}

/* Opens a file; its number (1 or more) or -errno. `length` may be NULL. */
LUCIOLA__MAYBE_UNUSED static int64_t luciola_ring_open_file(
    luciola_ring *ring, const char *path, int flags, unsigned mode, uint64_t *length) {
  char *quoted = luciola__quoted(path);
  size_t bytes = quoted == NULL ? 0 : strlen(quoted) + 256;
  char *request = quoted == NULL ? NULL : (char *)malloc(bytes);
  char *answer = NULL;
  uint64_t file = 0, known = 0;
  if (request == NULL) {
    free(quoted);
    return luciola__fault(ring, ENOMEM, "no memory");
  }
  if ((flags & O_ACCMODE) == O_RDONLY)
    snprintf(request, bytes, "{\"op\":\"open-file\",\"id\":%llu,\"path\":%s}", (unsigned long long)++ring->requests, quoted);
  else
    snprintf(request, bytes,
             "{\"op\":\"open-file\",\"id\":%llu,\"path\":%s,\"write\":true,\"create\":%s,\"exclusive\":%s,\"truncate\":%s,"
             "\"mode\":%u}",
             (unsigned long long)++ring->requests, quoted, flags & O_CREAT ? "true" : "false",
             flags & O_CREAT && flags & O_EXCL ? "true" : "false", flags & O_TRUNC ? "true" : "false",
             flags & O_CREAT ? mode & 07777 : 0644);
  free(quoted);
  int code = luciola__ask(ring, request, &answer);
  free(request);
  if (code != 0) return code;
  int fits = luciola__number(answer, "file", &file) && luciola__number(answer, "length", &known);
  free(answer);
  if (!fits) return luciola__fault(ring, EPROTO, "the agent's answer lacks something");
  if (length != NULL) *length = known;
  return (int64_t)file;
}

/* Closes a file; 0 or -errno. */
LUCIOLA__MAYBE_UNUSED static int luciola_ring_close_file(luciola_ring *ring, int64_t file) {
  char request[128];
  char *answer = NULL;
  snprintf(request, sizeof request, "{\"op\":\"close-file\",\"id\":%llu,\"file\":%ld}",
           (unsigned long long)++ring->requests, (long)file);
  int code = luciola__ask(ring, request, &answer);
  free(answer);
  return code;
}

/* Operations that were put in and whose completions were not taken. */
LUCIOLA__MAYBE_UNUSED static uint32_t luciola_ring_under_way(const luciola_ring *ring) { return ring->put - ring->taken; }

/* Prepares an operation; 0, or -EAGAIN if there is no room. */
LUCIOLA__MAYBE_UNUSED static int luciola_ring_put(
    luciola_ring *ring, int operation, int64_t file, uint64_t offset, uint64_t place, uint32_t length, uint64_t own) {
  if (ring->put - ring->taken == ring->entries) return -EAGAIN;
  luciola__submission *into = (luciola__submission *)(void *)(ring->memory + ring->submissions_at +
                                                              (uint64_t)(ring->put & (ring->entries - 1)) * 64);
  into->operation = (uint32_t)operation;
  into->file = (uint32_t)file;
  into->offset = offset;
  into->place = place;
  into->length = length;
  into->zero = 0;
  into->own = own;
  into->zeros[0] = into->zeros[1] = into->zeros[2] = 0;
  ring->put++;
  return 0;
}

/* Shows the agent what was prepared; 0, or why the ring has ended. */
LUCIOLA__MAYBE_UNUSED static int luciola_ring_submit(luciola_ring *ring) {
  if (ring->ended != 0) return -ring->ended;
  uint32_t *sleeps = LUCIOLA__WORD(ring, LUCIOLA__AGENT_SLEEPS);
  __atomic_store_n(LUCIOLA__WORD(ring, LUCIOLA__SUBMISSIONS_PUT), ring->put, __ATOMIC_RELEASE);
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  if (__atomic_load_n(sleeps, __ATOMIC_RELAXED) != 0 && __atomic_exchange_n(sleeps, 0, __ATOMIC_SEQ_CST) != 0) {
    ssize_t ignored = write(ring->submit_fd, "\1", 1); /* full: the agent is about to look */
    (void)ignored;
  }
  return 0;
}

/* Completions that can be taken now. */
LUCIOLA__MAYBE_UNUSED static uint32_t luciola_ring_ready(const luciola_ring *ring) {
  return __atomic_load_n(LUCIOLA__WORD(ring, LUCIOLA__COMPLETIONS_PUT), __ATOMIC_ACQUIRE) - ring->taken;
}

/* From now on complete_fd becomes readable when so many can be taken; 1 if they can at once. */
LUCIOLA__MAYBE_UNUSED static int luciola_ring_arm(luciola_ring *ring, uint32_t wanted) {
  __atomic_store_n(LUCIOLA__WORD(ring, LUCIOLA__OWNER_WAITS), wanted, __ATOMIC_SEQ_CST);
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  if (luciola_ring_ready(ring) < wanted) return 0;
  __atomic_store_n(LUCIOLA__WORD(ring, LUCIOLA__OWNER_WAITS), 0, __ATOMIC_SEQ_CST);
  return 1;
}

/* After a wait of the program's own; 0, or why the ring has ended. Does not wait. */
LUCIOLA__MAYBE_UNUSED static int luciola_ring_disarm(luciola_ring *ring) {
  struct pollfd said;
  char bytes[256];
  __atomic_store_n(LUCIOLA__WORD(ring, LUCIOLA__OWNER_WAITS), 0, __ATOMIC_SEQ_CST);
  ssize_t ignored = read(ring->complete_fd, bytes, sizeof bytes);
  (void)ignored;
  said.fd = ring->socket_fd;
  said.events = POLLIN;
  said.revents = 0;
  while (ring->ended == 0 && poll(&said, 1, 0) > 0) {
    char *body = NULL;
    if (luciola__message(ring, &body) == 0 && luciola__member(body, "error") != NULL)
      luciola__ended(ring, -luciola__told(ring, body));
    free(body);
  }
  return -ring->ended;
}

LUCIOLA__MAYBE_UNUSED static int64_t luciola__millis(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Waits until so many completions can be taken; how many can, or why the ring has ended. */
LUCIOLA__MAYBE_UNUSED static int luciola_ring_wait(luciola_ring *ring, uint32_t wanted, int timeout_ms) {
  if (wanted > luciola_ring_under_way(ring)) wanted = luciola_ring_under_way(ring);
  if (ring->memory == NULL) return -ring->ended;
  for (uint32_t i = 0; i < ring->spin && luciola_ring_ready(ring) < wanted; i++) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
  }
  int64_t until = timeout_ms < 0 || luciola_ring_ready(ring) >= wanted ? 0 : luciola__millis() + timeout_ms;
  for (;;) {
    uint32_t there = luciola_ring_ready(ring);
    if (there >= wanted) return (int)there;
    if (ring->ended != 0) return there > 0 ? (int)there : -ring->ended;
    int64_t left = timeout_ms < 0 ? -1 : until - luciola__millis();
    if (timeout_ms >= 0 && left <= 0) return (int)there;
    if (luciola_ring_arm(ring, wanted)) continue;
    struct pollfd either[2];
    either[0].fd = ring->complete_fd;
    either[1].fd = ring->socket_fd;
    either[0].events = either[1].events = POLLIN;
    either[0].revents = either[1].revents = 0;
    int ready = poll(either, 2, (int)left);
    if (ready > 0 && either[1].revents == 0) {
      char bytes[256];
      ssize_t ignored = read(ring->complete_fd, bytes, sizeof bytes);
      (void)ignored;
      __atomic_store_n(LUCIOLA__WORD(ring, LUCIOLA__OWNER_WAITS), 0, __ATOMIC_SEQ_CST);
    } else {
      luciola_ring_disarm(ring);
    }
  }
}

/* Takes completions that are there; how many. */
LUCIOLA__MAYBE_UNUSED static int luciola_ring_take(luciola_ring *ring, luciola_completion *into, uint32_t max) {
  uint32_t there = luciola_ring_ready(ring);
  uint32_t count = there < max ? there : max;
  for (uint32_t i = 0; i < count; i++)
    memcpy(&into[i],
           ring->memory + ring->completions_at + (uint64_t)((ring->taken + i) & (ring->entries - 1)) * sizeof into[i],
           sizeof into[i]);
  ring->taken += count;
  __atomic_store_n(LUCIOLA__WORD(ring, LUCIOLA__COMPLETIONS_TAKEN), ring->taken, __ATOMIC_RELEASE);
  return (int)count;
}

#endif
