package dev.sund.dataplane.nft;

import dev.sund.engine.program.Masquerade;
import dev.sund.engine.program.Masquerade.Part;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.Prefix;
import dev.sund.model.RuleId;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Rows that often nest, touch and repeat, and addresses at their edges. */
final class RandomRows {
  private final Random random;

  RandomRows(long seed) {
    random = new Random(seed);
  }

  Family family() {
    return random.nextBoolean() ? Family.V4 : Family.V6;
  }

  /** An address in one of a few neighbourhoods, so that ranges meet. */
  Ip ip(Family family) {
    int block = random.nextInt(8);
    if (family == Family.V4) {
      return Ip.v4(
          switch (random.nextInt(3)) {
            case 0 -> 0x0a000000 | (block << 22) | random.nextInt(1 << 10);
            case 1 -> 0xfffffff0 | random.nextInt(16);
            default -> random.nextInt(1 << 12);
          });
    }
    return switch (random.nextInt(3)) {
      case 0 -> Ip.v6(0xfd00_0000_0000_0000L | ((long) block << 6), random.nextInt(1 << 10));
      case 1 -> Ip.v6(-1L, -1L - random.nextInt(16));
      default -> Ip.v6(0, random.nextInt(1 << 12));
    };
  }

  Prefix prefix(Family family) {
    int bits = family.bits();
    int length = random.nextInt(4) == 0 ? random.nextInt(bits + 1) : bits - random.nextInt(12);
    return Prefix.around(ip(family), length);
  }

  Masquerade row() {
    Part part = Part.values()[random.nextInt(Part.values().length)];
    return new Masquerade(
        prefix(family()), part, RuleId.of("IPPool", "pool-" + random.nextInt(5), ""));
  }

  /** Up to {@code most} rows with different keys. */
  List<Masquerade> rows(int most) {
    List<Masquerade> rows = new ArrayList<>();
    for (int i = random.nextInt(most + 1); i > 0; i--) {
      rows.add(row());
    }
    return new ArrayList<>(Rows.table(rows).values());
  }

  int below(int bound) {
    return random.nextInt(bound);
  }
}
