package luciola.benchmarks;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.frame.Frame;
import luciola.protocol.frame.FrameCodec;
import luciola.protocol.frame.FramePrefix;
import luciola.protocol.frame.Granules;
import luciola.protocol.frame.ReadReply;
import luciola.protocol.frame.ReadRequest;
import luciola.protocol.frame.Update;
import luciola.protocol.frame.UpdateRequest;
import luciola.protocol.frame.UpdateTag;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChainVersion;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ChunkVersion;
import luciola.protocol.id.ClientId;
import luciola.protocol.id.InodeId;
import luciola.protocol.id.TargetId;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** Frames to bytes and back, checksums of their bodies included. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class FrameBenchmark {
  private static final int RANGES = 256;
  private static final int SMALL_BYTES = 4096;
  private static final int CHUNK_BYTES = 4 << 20;

  /** Which frame. */
  public enum Kind {
    /** 256 ranges. */
    READ_REQUEST,
    /** 256 results of 4 KiB. */
    READ_REPLY,
    /** A write of 4 MiB, with its 256 checksums. */
    UPDATE_REQUEST
  }

  /** The frame. */
  @Param public Kind kind = Kind.READ_REQUEST;

  private Frame frame = new ReadRequest(List.of(range(0)));
  private ByteBuffer encoded = ByteBuffer.allocate(0);
  private FramePrefix prefix = FramePrefix.decode(FrameCodec.encode(1, frame));

  /** Makes the frame and its bytes. */
  @Setup
  public void setUp() {
    frame =
        switch (kind) {
          case READ_REQUEST -> request();
          case READ_REPLY -> reply();
          case UPDATE_REQUEST -> update();
        };
    encoded = FrameCodec.encode(1, frame);
    prefix = FramePrefix.decode(encoded.slice(0, FramePrefix.BYTES));
  }

  private static ReadRequest.Range range(int number) {
    return new ReadRequest.Range(
        new ChainId(1),
        new ChainVersion(3),
        new TargetId(2),
        new ChunkId(new InodeId(77), number),
        number * SMALL_BYTES,
        SMALL_BYTES);
  }

  private static ReadRequest request() {
    List<ReadRequest.Range> ranges = new ArrayList<>();
    for (int i = 0; i < RANGES; i++) {
      ranges.add(range(i));
    }
    return new ReadRequest(ranges);
  }

  private static ReadReply reply() {
    List<ReadReply.Result> results = new ArrayList<>();
    for (int i = 0; i < RANGES; i++) {
      results.add(
          new ReadReply.Result(
              ErrorCode.OK, new ChunkVersion(5), CHUNK_BYTES, SMALL_BYTES, new int[] {i}));
    }
    return new ReadReply(ErrorCode.OK, results);
  }

  private static UpdateRequest update() {
    return new UpdateRequest(
        new ChainId(1),
        new ChainVersion(3),
        new TargetId(2),
        new ChunkId(new InodeId(77), 5),
        new UpdateTag(new ClientId(9), 3, 12),
        new Update.Write(0, CHUNK_BYTES, CHUNK_BYTES),
        new int[Granules.count(0, CHUNK_BYTES)]);
  }

  /** To bytes. */
  @Benchmark
  public ByteBuffer encode() {
    return FrameCodec.encode(1, frame);
  }

  /** From bytes. */
  @Benchmark
  public Frame decode() {
    return FrameCodec.decode(
        prefix, encoded.slice(FramePrefix.BYTES, encoded.limit() - FramePrefix.BYTES));
  }
}
