package dev.sund.lab.scene;

import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.Prefix;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** Gives out ranges and addresses that nobody has, the lowest first. */
public final class Ranges {
  private static final int TRIES = 65_536;
  private final List<Prefix> takenRanges = new ArrayList<>();
  private final Set<Ip> takenAddresses = new TreeSet<>();

  void take(Prefix range) {
    takenRanges.add(range);
  }

  /** From now on somebody has it. */
  public void take(Ip address) {
    takenAddresses.add(address);
  }

  boolean isTaken(Ip address) {
    return takenAddresses.contains(address);
  }

  /** A range of {@code length} inside {@code base} without a taken address or range; taken now. */
  Prefix range(Prefix base, int length) {
    int longer = length - base.length();
    long count = longer >= 16 ? TRIES : 1L << Math.max(0, longer);
    for (long i = count > 1 ? 1 : 0; i < count; i++) {
      Prefix candidate = new Prefix(nth(base, length, i), length);
      boolean free =
          takenRanges.stream().noneMatch(candidate::overlaps)
              && takenAddresses.stream().noneMatch(candidate::contains);
      if (free) {
        take(candidate);
        return candidate;
      }
    }
    throw new IllegalArgumentException(
        "there is no free range of length " + length + " in " + base + "; give podCIDRs yourself");
  }

  /** The lowest free address of {@code range} from {@code offset} on; taken now. */
  public Ip address(Prefix range, long offset) {
    for (long i = offset; i < offset + TRIES; i++) {
      Ip candidate = range.address().plus(i);
      if (!range.contains(candidate)) {
        break;
      }
      if (takenAddresses.add(candidate)) {
        return candidate;
      }
    }
    throw new IllegalArgumentException("there is no free address in " + range);
  }

  private static Ip nth(Prefix base, int length, long index) {
    if (base.family() == Family.V6 && length <= 64) {
      return Ip.v6(base.address().high() + (index << (64 - length)), 0);
    }
    return base.address().plus(index << (base.family().bits() - length));
  }
}
