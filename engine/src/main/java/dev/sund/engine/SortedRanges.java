package dev.sund.engine;

import dev.sund.model.Prefix;
import java.util.AbstractCollection;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Ranges in their order, each once, in pieces of an array. A range takes some six bytes here, where
 * a tree's node takes 32: every pod of the cluster has one or two.
 *
 * <p>What is added or removed moves the rest of one piece, and rarely the list of pieces.
 */
final class SortedRanges {
  /** How many a piece holds at most; one that is full becomes two. */
  private static final int MOST = 128;

  /** None of them empty; each range in one is before all in the next. */
  private final List<Piece> pieces = new ArrayList<>();

  private static final class Piece {
    private Prefix[] ranges;
    private int size;

    Piece(Prefix[] ranges, int size) {
      this.ranges = ranges;
      this.size = size;
    }

    int find(Prefix range) {
      return Arrays.binarySearch(ranges, 0, size, range);
    }

    void insert(int at, Prefix range) {
      if (size == ranges.length) {
        ranges = Arrays.copyOf(ranges, Math.min(MOST, size + 8 + size / 4));
      }
      System.arraycopy(ranges, at, ranges, at + 1, size - at);
      ranges[at] = range;
      size++;
    }

    /** Cuts off what comes after so many. */
    Piece split(int keep) {
      Piece rest = new Piece(Arrays.copyOfRange(ranges, keep, size), size - keep);
      ranges = Arrays.copyOf(ranges, keep);
      size = keep;
      return rest;
    }
  }

  /** Adds a range, unless it is there. */
  void add(Prefix range) {
    if (pieces.isEmpty()) {
      pieces.add(new Piece(new Prefix[] {range}, 1));
      return;
    }
    int number = pieceOf(range);
    Piece piece = pieces.get(number);
    int found = piece.find(range);
    if (found >= 0) {
      return;
    }
    int at = -found - 1;
    if (piece.size == MOST) {
      // What comes in order, as it does from a list, leaves full pieces behind.
      int keep = at == MOST ? MOST - 1 : MOST / 2;
      Piece rest = piece.split(keep);
      pieces.add(number + 1, rest);
      if (at > keep) {
        piece = rest;
        at -= keep;
      }
    }
    piece.insert(at, range);
  }

  /** Removes a range, if it is there. */
  void remove(Prefix range) {
    if (pieces.isEmpty()) {
      return;
    }
    int number = pieceOf(range);
    Piece piece = pieces.get(number);
    int at = piece.find(range);
    if (at < 0) {
      return;
    }
    if (piece.size == 1) {
      pieces.remove(number);
      return;
    }
    piece.size--;
    System.arraycopy(piece.ranges, at + 1, piece.ranges, at, piece.size - at);
    if (piece.size < piece.ranges.length / 2) {
      piece.ranges = Arrays.copyOf(piece.ranges, piece.size);
    } else {
      Arrays.fill(piece.ranges, piece.size, piece.size + 1, null);
    }
  }

  /** The first range after this one in order. */
  Optional<Prefix> higher(Prefix range) {
    Walk walk = new Walk(range, false, _ -> true);
    return walk.hasNext() ? Optional.of(walk.next()) : Optional.empty();
  }

  /** Those that have no address outside of {@code range}, itself included, in order: a view. */
  Collection<Prefix> inside(Prefix range) {
    return new View(() -> new Walk(range, true, range::contains));
  }

  /** All of them, in order: a view. */
  Collection<Prefix> all() {
    return new View(() ->
        pieces.isEmpty()
            ? List.<Prefix>of().iterator()
            : new Walk(pieces.getFirst().ranges[0], true, _ -> true));
  }

  /** The piece in which a range is or would be. */
  private int pieceOf(Prefix range) {
    int low = 0;
    int high = pieces.size() - 1;
    while (low < high) {
      int middle = (low + high + 1) >>> 1;
      if (pieces.get(middle).ranges[0].compareTo(range) <= 0) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return low;
  }

  private static final class View extends AbstractCollection<Prefix> {
    private final Iterable<Prefix> walks;

    View(Iterable<Prefix> walks) {
      this.walks = walks;
    }

    @Override
    public Iterator<Prefix> iterator() {
      return walks.iterator();
    }

    @Override
    public int size() {
      int size = 0;
      for (Prefix _ : walks) {
        size++;
      }
      return size;
    }

    @Override
    public boolean isEmpty() {
      return !iterator().hasNext();
    }
  }

  /** From a range on, as long as they pass. */
  private final class Walk implements Iterator<Prefix> {
    private final Predicate<Prefix> goesOn;
    private int piece;
    private int at;

    Walk(Prefix from, boolean itself, Predicate<Prefix> goesOn) {
      this.goesOn = goesOn;
      if (!pieces.isEmpty()) {
        piece = pieceOf(from);
        int found = pieces.get(piece).find(from);
        at = found < 0 ? -found - 1 : itself ? found : found + 1;
      }
      settle();
    }

    private void settle() {
      if (piece < pieces.size() && at == pieces.get(piece).size) {
        piece++;
        at = 0;
      }
    }

    @Override
    public boolean hasNext() {
      return piece < pieces.size() && goesOn.test(pieces.get(piece).ranges[at]);
    }

    @Override
    public Prefix next() {
      if (!hasNext()) {
        throw new NoSuchElementException();
      }
      Prefix next = pieces.get(piece).ranges[at++];
      settle();
      return next;
    }
  }
}
