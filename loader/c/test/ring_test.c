/* Tries luciola_ring.h against an agent: ring_test SOCKET SCENARIO PATH [OPERATIONS]. Prints what went wrong and ends with 1. */
#include "../luciola_ring.h"

#define CHECK(what)                                                                \
  do {                                                                             \
    if (!(what)) {                                                                 \
      printf("line %d: %s: not so; last error: %s\n", __LINE__, #what, ring.error); \
      exit(1);                                                                     \
    }                                                                              \
  } while (0)

static luciola_ring ring;

static int64_t one(int operation, int64_t file, uint64_t offset, uint64_t place, uint32_t length) {
  luciola_completion done;
  CHECK(luciola_ring_put(&ring, operation, file, offset, place, length, 77) == 0);
  CHECK(luciola_ring_submit(&ring) == 0);
  CHECK(luciola_ring_wait(&ring, 1, 60000) == 1);
  CHECK(luciola_ring_take(&ring, &done, 8) == 1);
  CHECK(done.own == 77);
  return done.result;
}

/* Everything that the header has, once. PATH names a file that holds "hello, ring". */
static void functions(const char *socket_path, const char *path) {
  uint64_t length = 0;
  CHECK(luciola_ring_open(&ring, "/nonexistent/agent.sock", 8, 4096) == -ENOENT);
  CHECK(strstr(ring.error, "no agent listens there") != NULL);
  CHECK(luciola_ring_open(&ring, socket_path, 7, 4096) == -EINVAL);
  CHECK(strstr(ring.error, "entries") != NULL);
  CHECK(luciola_ring_open(&ring, socket_path, 8, 1 << 20) == 0);
  CHECK(ring.entries == 8 && ring.data_bytes == 1 << 20);
  CHECK(luciola_ring_wait(&ring, 5, -1) == 0);

  CHECK(luciola_ring_open_file(&ring, "/none \"of\" them\n", O_RDONLY, 0, NULL) == -ENOENT);
  CHECK(strstr(ring.error, "/none \"of\" them") != NULL);
  int64_t file = luciola_ring_open_file(&ring, path, O_RDONLY, 0, &length);
  CHECK(file > 0 && length == 11);
  CHECK(one(LUCIOLA_RING_READ, file, 0, 4096, 100) == 11);
  CHECK(memcmp(ring.data + 4096, "hello, ring", 11) == 0);
  CHECK(one(LUCIOLA_RING_READ, file, 7, 0, 2) == 2);
  CHECK(memcmp(ring.data, "ri", 2) == 0);
  CHECK(one(LUCIOLA_RING_READ, file, 11, 0, 2) == 0);
  CHECK(one(LUCIOLA_RING_WRITE, file, 0, 0, 2) == -EBADF);
  CHECK(one(LUCIOLA_RING_READ, file + 100, 0, 0, 2) == -EBADF);
  CHECK(one(LUCIOLA_RING_READ, file, 0, (1 << 20) - 1, 2) == -EINVAL);
  CHECK(one(9, file, 0, 0, 2) == -EOPNOTSUPP);
  CHECK(luciola_ring_close_file(&ring, file) == 0);
  CHECK(luciola_ring_close_file(&ring, file) == -EBADF);
  CHECK(one(LUCIOLA_RING_READ, file, 0, 0, 2) == -EBADF);

  file = luciola_ring_open_file(&ring, "/made in \xc3\xa7", O_RDWR | O_CREAT | O_EXCL, 0600, NULL);
  CHECK(file > 0);
  CHECK(luciola_ring_open_file(&ring, "/made in \xc3\xa7", O_WRONLY | O_CREAT | O_EXCL, 0600, NULL) == -EEXIST);
  for (int i = 0; i < 8; i++) {
    memset(ring.data + 1000 * i, 'a' + i, 1000);
    CHECK(luciola_ring_put(&ring, LUCIOLA_RING_WRITE, file, 1000 * (uint64_t)i, 1000 * (uint64_t)i, 1000, (uint64_t)i) == 0);
  }
  CHECK(luciola_ring_put(&ring, LUCIOLA_RING_SYNC, file, 0, 0, 0, 8) == -EAGAIN);
  CHECK(luciola_ring_submit(&ring) == 0);
  CHECK(luciola_ring_wait(&ring, 100, -1) == 8);
  luciola_completion done[8];
  CHECK(luciola_ring_take(&ring, done, 3) == 3 && luciola_ring_take(&ring, done, 8) == 5);
  CHECK(luciola_ring_take(&ring, done, 8) == 0);
  CHECK(one(LUCIOLA_RING_SYNC, file, 0, 0, 0) == 0);
  CHECK(one(LUCIOLA_RING_READ, file, 7500, 0, 4096) == 500);
  for (int i = 0; i < 500; i++) CHECK(ring.data[i] == 'h');
  CHECK(luciola_ring_close_file(&ring, file) == 0);
  file = luciola_ring_open_file(&ring, "/made in \xc3\xa7", O_WRONLY | O_TRUNC, 0, &length);
  CHECK(file > 0 && length == 0);
  luciola_ring_close(&ring);
  CHECK(luciola_ring_submit(&ring) == -EBADF);
  luciola_ring_close(&ring);
}

static uint64_t next_random(uint64_t *state) {
  *state = *state * 6364136223846793005u + 1442695040888963407u;
  return *state >> 33;
}

static void fill(uint8_t *at, uint32_t block, uint32_t version, uint32_t bytes) {
  uint64_t state = (uint64_t)block << 32 | version;
  for (uint32_t i = 0; i < bytes; i++) at[i] = (uint8_t)next_random(&state);
}

/* Blocks of a file are written over and over, synced and read back, all mixed, at full depth. */
static void verify(const char *socket_path, const char *path, uint32_t operations) {
  enum { DEPTH = 32, BLOCKS = 200, BYTES = 30000 };
  static uint32_t version[BLOCKS], busy[BLOCKS], block_of[DEPTH], operation_of[DEPTH];
  static uint8_t expected[BYTES];
  uint64_t state = 5;
  uint32_t in_use = 0, done_operations = 0;
  CHECK(luciola_ring_open(&ring, socket_path, DEPTH, 4096 * ((DEPTH * BYTES) / 4096 + 1)) == 0);
  ring.spin = 100;
  int64_t file = luciola_ring_open_file(&ring, path, O_RDWR | O_CREAT | O_TRUNC, 0644, NULL);
  CHECK(file > 0);
  while (done_operations < operations || in_use > 0) {
    while (in_use < DEPTH && done_operations < operations) {
      uint32_t slot = 0, block = (uint32_t)(next_random(&state) % BLOCKS), what = (uint32_t)(next_random(&state) % 20);
      while (operation_of[slot] != 0) slot++;
      if (what > 0 && busy[block]) break;
      operation_of[slot] = what == 0 ? LUCIOLA_RING_SYNC : what < 9 || version[block] == 0 ? LUCIOLA_RING_WRITE : LUCIOLA_RING_READ;
      block_of[slot] = block;
      if (operation_of[slot] == LUCIOLA_RING_WRITE) fill(ring.data + slot * BYTES, block, ++version[block], BYTES);
      if (operation_of[slot] != LUCIOLA_RING_SYNC) busy[block] = 1;
      int sync = operation_of[slot] == LUCIOLA_RING_SYNC;
      CHECK(luciola_ring_put(&ring, (int)operation_of[slot], file, sync ? 0 : (uint64_t)block * BYTES,
                             sync ? 0 : (uint64_t)slot * BYTES, sync ? 0 : BYTES, slot) == 0);
      in_use++;
    }
    CHECK(luciola_ring_submit(&ring) == 0);
    CHECK(luciola_ring_wait(&ring, 1 + (uint32_t)(next_random(&state) % in_use), 120000) > 0);
    luciola_completion done[DEPTH];
    int count = luciola_ring_take(&ring, done, DEPTH);
    CHECK(count > 0);
    for (int i = 0; i < count; i++) {
      uint32_t slot = (uint32_t)done[i].own;
      CHECK(done[i].result == (operation_of[slot] == LUCIOLA_RING_SYNC ? 0 : BYTES));
      if (operation_of[slot] == LUCIOLA_RING_READ) {
        fill(expected, block_of[slot], version[block_of[slot]], BYTES);
        CHECK(memcmp(expected, ring.data + slot * BYTES, BYTES) == 0);
      }
      if (operation_of[slot] != LUCIOLA_RING_SYNC) busy[block_of[slot]] = 0;
      operation_of[slot] = 0;
      in_use--;
      done_operations++;
    }
  }
  CHECK(luciola_ring_close_file(&ring, file) == 0);
  luciola_ring_close(&ring);
}

/* Has files open, something written and something under way, says so, and waits to be killed. */
static void hold(const char *socket_path, const char *path) {
  CHECK(luciola_ring_open(&ring, socket_path, 8, 1 << 20) == 0);
  int64_t file = luciola_ring_open_file(&ring, path, O_RDWR | O_CREAT, 0644, NULL);
  CHECK(file > 0);
  memcpy(ring.data, "written, not synced", 19);
  CHECK(one(LUCIOLA_RING_WRITE, file, 0, 0, 19) == 19);
  printf("ready\n");
  fflush(stdout);
  for (;;) {
    luciola_completion done[8];
    while (luciola_ring_put(&ring, LUCIOLA_RING_READ, file, 0, 4096, 19, 1) == 0) {
    }
    if (luciola_ring_submit(&ring) != 0 || luciola_ring_wait(&ring, 1, -1) < 0) exit(3);
    luciola_ring_take(&ring, done, 8);
  }
}

/* Waits without end; ends with 0 when it is told that the agent is gone. */
static void outlive(const char *socket_path, const char *path) {
  CHECK(luciola_ring_open(&ring, socket_path, 8, 1 << 20) == 0);
  int64_t file = luciola_ring_open_file(&ring, path, O_RDWR | O_CREAT, 0644, NULL);
  CHECK(file > 0);
  printf("ready\n");
  fflush(stdout);
  int code = 0;
  while (code >= 0) {
    luciola_completion done[8];
    while (luciola_ring_put(&ring, LUCIOLA_RING_SYNC, file, 0, 0, 0, 1) == 0) {
    }
    code = luciola_ring_submit(&ring);
    if (code == 0) code = luciola_ring_wait(&ring, 8, -1);
    luciola_ring_take(&ring, done, 8);
  }
  CHECK(code == -ECONNRESET);
  CHECK(strstr(ring.error, "the agent") != NULL);
  CHECK(luciola_ring_open_file(&ring, path, O_RDONLY, 0, NULL) == -ECONNRESET);
  luciola_ring_close(&ring);
  printf("told: %s\n", ring.error);
}

int main(int count, char **arguments) {
  if (count < 4) return 2;
  if (strcmp(arguments[2], "functions") == 0) functions(arguments[1], arguments[3]);
  else if (strcmp(arguments[2], "verify") == 0) verify(arguments[1], arguments[3], count > 4 ? (uint32_t)atoi(arguments[4]) : 6000);
  else if (strcmp(arguments[2], "hold") == 0) hold(arguments[1], arguments[3]);
  else if (strcmp(arguments[2], "outlive") == 0) outlive(arguments[1], arguments[3]);
  else return 2;
  printf("passed\n");
  return 0;
}
