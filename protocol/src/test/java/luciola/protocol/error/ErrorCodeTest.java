package luciola.protocol.error;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.HashSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class ErrorCodeTest {
  /** What is on the wire of every release. Lines are only ever added. */
  private static final String NUMBERS =
      "OK=0 INVALID_ARGUMENT=1 UNSUPPORTED=2 MALFORMED_FRAME=3 WRONG_CLUSTER=4 UNAUTHENTICATED=5"
          + " PERMISSION_DENIED=6 NOT_PERMITTED=7 CANCELLED=8 NOT_FOUND=20 EXISTS=21"
          + " NOT_A_DIRECTORY=22 IS_A_DIRECTORY=23 NOT_EMPTY=24 NAME_TOO_LONG=25"
          + " TOO_MANY_SYMLINKS=26 TOO_MANY_LINKS=27 FILE_TOO_LARGE=28 STALE_HANDLE=29"
          + " QUOTA_EXCEEDED=30 BAD_SESSION=31 NO_ATTRIBUTE=32 OUT_OF_RANGE=33 TOO_LARGE=34"
          + " DEADLOCK=35 NO_LOCKS=36 LOCK_LOST=37"
          + " NOT_LEADER=40 STALE_CHAIN_VERSION=41 UNKNOWN_CHAIN=42 NOT_HEAD=43 NOT_SERVING=44"
          + " NO_LEASE=45 NO_SERVING_REPLICA=46 UNKNOWN_NODE=47 NO_CHAIN_TABLE=48"
          + " IDENTITY_IN_USE=49 CHUNK_NOT_FOUND=60 CHUNK_BUSY=61 DUPLICATE_UPDATE=62"
          + " MISSING_UPDATE=63 CHECKSUM_MISMATCH=64 DISK_ERROR=65 NO_SPACE=66 TIMED_OUT=80"
          + " CONNECTION_LOST=81 OVERLOADED=82 SHUTTING_DOWN=83 INTERNAL=84 INVARIANT_BROKEN=85"
          + " CORRUPT_DATA=100 WRONG_POSITION=101 FORMAT_TOO_NEW=102";

  @Test
  void numbersNeverChange() {
    String now =
        Arrays.stream(ErrorCode.values())
            .map(code -> code + "=" + code.number())
            .collect(Collectors.joining(" "));
    assertEquals(NUMBERS, now);
  }

  @Test
  void numbersAreUniqueAndFitTheWire() {
    var seen = new HashSet<Integer>();
    for (ErrorCode code : ErrorCode.values()) {
      assertTrue(seen.add(code.number()), code::toString);
      assertTrue(code.number() >= 0 && code.number() < 1 << 16, code::toString);
      assertEquals(code, ErrorCode.ofNumber(code.number()));
    }
  }

  @Test
  void everyErrorSaysWhatToDo() {
    for (ErrorCode code : ErrorCode.values()) {
      if (code == ErrorCode.OK) {
        assertEquals(CallerAction.PROCEED, code.action());
        assertEquals(0, code.errno());
      } else {
        assertNotEquals(CallerAction.PROCEED, code.action(), code::toString);
        assertTrue(code.errno() > 0 && code.errno() < 134, code::toString);
      }
    }
  }

  @Test
  void aNumberFromTheFutureIsAnInternalError() {
    assertEquals(ErrorCode.INTERNAL, ErrorCode.ofNumber(9999));
  }
}
