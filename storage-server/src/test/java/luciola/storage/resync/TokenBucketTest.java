package luciola.storage.resync;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

final class TokenBucketTest {
  private static final long SECOND = 1_000_000_000L;

  /** Bytes that get through in so many seconds, when somebody asks every millisecond. */
  private static long through(TokenBucket bucket, long piece, int seconds) {
    long bytes = 0;
    for (long now = 0; now < seconds * SECOND; now += SECOND / 1000) {
      while (bucket.take(piece, now)) {
        bytes += piece;
      }
    }
    return bytes;
  }

  @Test
  void letsThroughWhatTheRateSaysAndATenthOfASecondMore() {
    long bytes = through(new TokenBucket(1_000_000), 1000, 10);
    assertTrue(bytes >= 9_900_000 && bytes <= 10_200_000, "bytes=" + bytes);
  }

  @Test
  void aPieceLargerThanASecondsWorthIsPaidForAfterwards() {
    var bucket = new TokenBucket(1000);
    assertTrue(bucket.take(64_000, 0));
    assertFalse(bucket.take(1, SECOND));
    assertTrue(Math.abs(63 * SECOND - bucket.waitNanos(SECOND)) <= 10);
    assertTrue(bucket.take(1, 64 * SECOND + 10));
  }

  @Test
  void anotherRateCountsAtOnceAndNoDebtOutlivesASecondOfIt() {
    var bucket = new TokenBucket(1_000_000);
    assertTrue(bucket.take(50_000_000, 0));
    bucket.rate(1000, 0);
    assertTrue(bucket.waitNanos(0) <= SECOND + 10);
    bucket.rate(Long.MAX_VALUE, SECOND);
    assertTrue(bucket.take(1L << 40, 2 * SECOND));
    assertTrue(bucket.take(1, 3 * SECOND));
  }

  @Test
  void withoutALimitNobodyWaits() {
    var bucket = TokenBucket.unlimited();
    for (int i = 0; i < 1000; i++) {
      assertTrue(bucket.take(64 << 20, i * 1_000_000L));
    }
  }
}
