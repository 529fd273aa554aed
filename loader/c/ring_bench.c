/*
 * ring_bench: reads or writes by a ring at a steady depth and says how fast that went.
 *
 *   cc -O2 -o ring_bench ring_bench.c
 *   ring_bench --socket AGENT --path PATH [--work read|write] [--pattern random|sequential] [--bytes N] [--depth N]
 *              [--batch N] [--spin N] [--seconds S] [--file-bytes N]
 *
 * read: of one file, which must be there. write: of PATH-0 … PATH-<depth - 1>, each written through again and again by
 * one of the operations under way, durable at the end (sequential), or anywhere in it, a sync after each (random).
 * --depth operations are under way at any time; the program sleeps until --batch of them have ended. Random offsets
 * are multiples of --bytes. Without --seconds it reads lines from its standard input, each a number of seconds to run
 * for, and answers with a line each: operations, seconds, and then for each class of latencies nanoseconds:count.
 */
#include "luciola_ring.h"

enum { SUB = 16, CLASSES = 64 * SUB };

static luciola_ring ring;
static uint64_t latencies[CLASSES];

static void fail(const char *what) {
  fprintf(stderr, "ring_bench: %s: %s\n", what, ring.error);
  exit(1);
}

static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* Classes are a sixteenth of a power of two wide. */
static unsigned class_of(uint64_t nanos) {
  unsigned power = 63u - (unsigned)__builtin_clzll(nanos | 1);
  return power < 4 ? (unsigned)nanos : power * SUB + (unsigned)(nanos >> (power - 4) & 15);
}

static uint64_t middle(unsigned number) {
  if (number < 4 * SUB) return number;
  uint64_t low = (uint64_t)1 << number / SUB;
  return low + low / SUB * (number % SUB) + low / SUB / 2;
}

static uint64_t quantile(double share) {
  uint64_t all = 0, below = 0;
  for (unsigned i = 0; i < CLASSES; i++) all += latencies[i];
  for (unsigned i = 0; i < CLASSES; i++) {
    below += latencies[i];
    if (below > 0 && (double)below >= share * (double)all) return middle(i);
  }
  return 0;
}

static uint64_t random_state = 88172645463325252u;

static uint64_t next_random(void) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return random_state;
}

static const char *socket_path, *path;
static int writes, is_random = 1;
static uint32_t bytes = 4096, depth = 16, batch = 1;
static uint64_t file_bytes = 512u << 20, slots;
static double seconds;

typedef struct place {
  int64_t file;
  uint64_t next, started;
  int syncing;
} place;

static place *places;
static uint64_t next_slot;

static void begin(uint32_t at) {
  place *each = &places[at];
  uint64_t slot;
  if (is_random) {
    slot = next_random() % slots;
  } else if (writes) {
    slot = each->next++ % slots;
  } else {
    slot = next_slot++ % slots;
  }
  each->started = now();
  if (luciola_ring_put(&ring, writes ? LUCIOLA_RING_WRITE : LUCIOLA_RING_READ, each->file, slot * bytes,
                       (uint64_t)at * bytes, bytes, at) != 0)
    fail("put");
}

static void sync_one(uint32_t at) {
  places[at].syncing = 1;
  if (luciola_ring_put(&ring, LUCIOLA_RING_SYNC, places[at].file, 0, 0, 0, at) != 0) fail("put");
}

/* Runs for so long; the number of operations that ended. */
static uint64_t run(double for_seconds, double *took) {
  uint64_t start = now(), until = start + (uint64_t)(for_seconds * 1e9), done = 0;
  uint32_t under_way = depth;
  luciola_completion ended[256];
  memset(latencies, 0, sizeof latencies);
  for (uint32_t i = 0; i < depth; i++) begin(i);
  luciola_ring_submit(&ring);
  while (under_way > 0) {
    int count = luciola_ring_wait(&ring, batch, -1);
    if (count < 0) fail("wait");
    count = luciola_ring_take(&ring, ended, 256);
    uint64_t time = now();
    for (int i = 0; i < count; i++) {
      uint32_t at = (uint32_t)ended[i].own;
      if (ended[i].result != (places[at].syncing ? 0 : (int64_t)bytes)) {
        fprintf(stderr, "ring_bench: result=%lld wanted=%u\n", (long long)ended[i].result, bytes);
        exit(1);
      }
      if (writes && is_random && !places[at].syncing) {
        sync_one(at);
        continue;
      }
      if (!places[at].syncing || is_random) {
        latencies[class_of(time - places[at].started)]++;
        done++;
      }
      if (time < until) {
        places[at].syncing = 0;
        begin(at);
      } else if (writes && !is_random && !places[at].syncing) {
        sync_one(at);
      } else {
        places[at].syncing = 0;
        under_way--;
      }
    }
    luciola_ring_submit(&ring);
  }
  *took = (double)(now() - start) / 1e9;
  return done;
}

static void prepare(void) {
  char name[4200];
  uint64_t length = 0;
  uint64_t memory = ((uint64_t)bytes * depth + 4095) / 4096 * 4096;
  uint32_t entries = 1;
  while (entries < depth) entries *= 2;
  uint32_t spin = ring.spin;
  if (luciola_ring_open(&ring, socket_path, entries, memory) != 0) fail("open ring");
  ring.spin = spin;
  places = (place *)calloc(depth, sizeof *places);
  if (places == NULL) fail("memory");
  memset(ring.data, 7, memory);
  for (uint32_t i = 0; i < depth; i++) {
    if (!writes && i > 0) {
      places[i].file = places[0].file;
      continue;
    }
    snprintf(name, sizeof name, writes ? "%s-%u" : "%s", path, i);
    places[i].file = luciola_ring_open_file(&ring, name, writes ? O_RDWR | O_CREAT : O_RDONLY, 0644, &length);
    if (places[i].file < 0) fail(name);
  }
  slots = (writes ? file_bytes / depth : length) / bytes;
  if (slots == 0) fail("the file is too short");
  if (writes && is_random) {
    /* What is written over is there. */
    luciola_completion ended;
    for (uint32_t i = 0; i < depth; i++) {
      for (uint64_t at = 0; at <= slots; at++) {
        int last = at == slots;
        luciola_ring_put(&ring, last ? LUCIOLA_RING_SYNC : LUCIOLA_RING_WRITE, places[i].file, last ? 0 : at * bytes, 0,
                         last ? 0 : bytes, 0);
        luciola_ring_submit(&ring);
        if (luciola_ring_wait(&ring, 1, -1) != 1 || luciola_ring_take(&ring, &ended, 1) != 1 || ended.result < 0)
          fail("fill");
      }
    }
  }
}

static void usage(void) {
  fprintf(stderr,
          "ring_bench --socket AGENT --path PATH [--work read|write] [--pattern random|sequential] [--bytes N]"
          " [--depth N] [--batch N] [--spin N] [--seconds S] [--file-bytes N]\n");
  exit(2);
}

static void options(int count, char **arguments) {
  if (count % 2 == 0) usage();
  for (int i = 1; i + 1 < count; i += 2) {
    const char *name = arguments[i], *value = arguments[i + 1];
    if (strcmp(name, "--socket") == 0) socket_path = value;
    else if (strcmp(name, "--path") == 0) path = value;
    else if (strcmp(name, "--work") == 0) writes = strcmp(value, "write") == 0;
    else if (strcmp(name, "--pattern") == 0) is_random = strcmp(value, "random") == 0;
    else if (strcmp(name, "--bytes") == 0) bytes = (uint32_t)strtoul(value, NULL, 10);
    else if (strcmp(name, "--depth") == 0) depth = (uint32_t)strtoul(value, NULL, 10);
    else if (strcmp(name, "--batch") == 0) batch = (uint32_t)strtoul(value, NULL, 10);
    else if (strcmp(name, "--spin") == 0) ring.spin = (uint32_t)strtoul(value, NULL, 10);
    else if (strcmp(name, "--seconds") == 0) seconds = strtod(value, NULL);
    else if (strcmp(name, "--file-bytes") == 0) file_bytes = strtoull(value, NULL, 10);
    else usage();
  }
  if (socket_path == NULL || path == NULL || bytes == 0 || depth == 0 || depth > 32768 || batch == 0) usage();
}

int main(int count, char **arguments) {
  char line[64];
  double took;
  options(count, arguments);
  prepare();
  if (seconds > 0) {
    uint64_t done = run(seconds, &took);
    printf("%s %s %u bytes, %u under way: %.0f per second, %.3f GB/s, p50 %.1f us, p99 %.1f us\n",
           writes ? "write" : "read", is_random ? "random" : "sequential", bytes, depth, (double)done / took,
           (double)done * bytes / took / 1e9, (double)quantile(0.5) / 1e3, (double)quantile(0.99) / 1e3);
  } else {
    printf("ready\n");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin) != NULL) {
      uint64_t done = run(strtod(line, NULL), &took);
      printf("%llu %.9f", (unsigned long long)done, took);
      for (unsigned i = 0; i < CLASSES; i++)
        if (latencies[i] > 0) printf(" %llu:%llu", (unsigned long long)middle(i), (unsigned long long)latencies[i]);
      printf("\n");
      fflush(stdout);
    }
  }
  luciola_ring_close(&ring);
  return 0;
}
