package luciola.cli.soak.load;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/** Compares what was read of a block with what its register allows. Used by one thread. */
final class Verifier {
  private final Findings findings;
  private MemorySegment scratch = Arena.ofAuto().allocate(1 << 16);

  Verifier(Findings findings) {
    this.findings = findings;
  }

  /**
   * Ends the read.
   *
   * @param found the block's bytes, zeros where the file ended
   * @param inFile how many of them lay before the file's end as it was known
   * @return whether it was right
   */
  boolean check(
      String rule,
      FileLedger ledger,
      int block,
      BlockRegister.Read read,
      MemorySegment found,
      long inFile) {
    BlockPlace place = ledger.place(block);
    MemorySegment memory = scratch(place.bytes());
    Optional<String> expected =
        ledger
            .block(block)
            .endRead(
                read,
                (value, acknowledged) ->
                    BlockBytes.holds(found, place, value, memory)
                        || (!acknowledged
                            && inFile < place.bytes()
                            && BlockBytes.holds(found, place, value.cut((int) inFile), memory)));
    if (expected.isEmpty()) {
      return true;
    }
    if (!ledger.live()) {
      return true;
    }
    findings.add(
        rule,
        ledger + " block=" + block + " offset=" + place.offset() + " bytes=" + place.bytes(),
        ledger.address(block),
        expected.get(),
        BlockBytes.describe(found, place, memory));
    return false;
  }

  private MemorySegment scratch(int bytes) {
    if (scratch.byteSize() < bytes) {
      scratch = Arena.ofAuto().allocate(bytes);
    }
    return scratch.asSlice(0, bytes);
  }
}
