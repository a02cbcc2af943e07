package dev.sund.lab.measure;

import dev.sund.kernel.Errno;
import dev.sund.lab.question.Answer.Larger;
import dev.sund.lab.question.Answer.Mtu;
import dev.sund.model.Family;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Narrows down the largest packet that arrives undivided: the sizes asked for first, and where they
 * leave a gap, {@value #WAYS} more at a time, until a size arrives and the next does not.
 */
final class SizeSearch {
  private static final int WAYS = 8;
  private static final int LARGEST = 9_216;

  private final int smallest;
  private final TreeMap<Integer, Flight> bySize = new TreeMap<>();

  SizeSearch(Family family) {
    this.smallest = family == Family.V4 ? 576 : 1_280;
  }

  /** The bytes of the IP and UDP headers. */
  static int headers(Family family) {
    return family == Family.V4 ? 28 : 48;
  }

  Flight fly(Flight flight) {
    bySize.put(flight.number, flight);
    return flight;
  }

  /** The sizes to try next; none when the bound is known. */
  SortedSet<Integer> nextSizes() {
    int arrives = largestArrived();
    if (arrives == 0) {
      // Not even the smallest: no packet arrives, and there is nothing to search for.
      return bySize.containsKey(smallest) ? new TreeSet<>() : new TreeSet<>(List.of(smallest));
    }
    Integer fails = bySize.higherKey(arrives);
    int bound = fails == null ? LARGEST + 1 : fails;
    TreeSet<Integer> sizes = new TreeSet<>();
    int gap = bound - arrives - 1;
    for (int i = 1; i <= Math.min(WAYS, gap); i++) {
      sizes.add(arrives + Math.max(1, (int) ((long) gap * i / Math.min(WAYS, gap))));
    }
    return sizes;
  }

  Mtu answer() {
    int arrives = largestArrived();
    Map.Entry<Integer, Flight> above = bySize.higherEntry(arrives);
    if (arrives == 0 || above == null) {
      return new Mtu(arrives, Larger.UNKNOWN);
    }
    Flight larger = above.getValue();
    boolean told =
        larger.refusedLocally == Errno.EMSGSIZE.number()
            || (larger.error != null && larger.error.errno() == Errno.EMSGSIZE.number());
    return new Mtu(arrives, told ? Larger.TOLD : Larger.SILENT);
  }

  private int largestArrived() {
    List<Integer> arrived = new ArrayList<>();
    bySize.forEach((size, flight) -> {
      if (flight.arrived()) {
        arrived.add(size);
      }
    });
    return arrived.isEmpty() ? 0 : arrived.getLast();
  }
}
