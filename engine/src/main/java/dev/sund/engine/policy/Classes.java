package dev.sund.engine.policy;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The classes of peers that have rows, and their numbers. A class has the first number of its own
 * that is not 0; where two would have one number, all are numbered in the order of their digests,
 * and each has the first of its own that is free. Both depend on nothing but the classes there are.
 */
final class Classes {
  /** Which bits numbers have: all, but in a test of what happens when they are few. */
  private final int mask;

  private final Map<PeerClass, PeerClass> known = new HashMap<>();
  private final Map<Integer, PeerClass> byNumber = new HashMap<>();

  /** How many classes would have each number. */
  private final Map<Integer, Integer> firsts = new HashMap<>();

  private int contested;
  private final Set<PeerClass> touched = new LinkedHashSet<>();

  Classes(int mask) {
    this.mask = mask;
  }

  /** A class that has another number; 0 while it has no rows. */
  record Moved(PeerClass peers, int was, int now) {}

  /** The one object for a class. */
  PeerClass the(PeerClass like) {
    return like.isOthers() ? PeerClass.OTHERS : known.computeIfAbsent(like, one -> one);
  }

  /** The class that has a number. */
  PeerClass numbered(int number) {
    if (number == 0) {
      return PeerClass.OTHERS;
    }
    @Nullable PeerClass found = byNumber.get(number);
    if (found == null) {
      throw new IllegalStateException("no class of peers has the number " + number);
    }
    return found;
  }

  void gains(PeerClass peers) {
    if (!peers.isOthers()) {
      peers.rows++;
      touched.add(peers);
    }
  }

  void loses(PeerClass peers) {
    if (!peers.isOthers()) {
      peers.rows--;
      touched.add(peers);
    }
  }

  /** Numbers the classes that have come, forgets those without rows, and tells who has moved. */
  List<Moved> settle() {
    List<PeerClass> fresh = new ArrayList<>();
    List<Moved> moved = new ArrayList<>();
    boolean before = contested > 0;
    for (PeerClass peers : touched) {
      boolean lives = peers.rows > 0;
      if (lives && peers.number == 0) {
        fresh.add(peers);
        count(peers, 1);
      } else if (!lives) {
        known.remove(peers);
        if (peers.number != 0) {
          count(peers, -1);
          byNumber.remove(peers.number);
          moved.add(new Moved(peers, peers.number, 0));
          peers.number = 0;
        }
      }
    }
    touched.clear();
    if (before || contested > 0) {
      renumber(moved);
    } else {
      for (PeerClass peers : fresh) {
        peers.number = first(peers);
        byNumber.put(peers.number, peers);
        moved.add(new Moved(peers, 0, peers.number));
      }
    }
    return moved;
  }

  private void count(PeerClass peers, int by) {
    int now = firsts.merge(first(peers), by, Integer::sum);
    if (by > 0 && now == 2) {
      contested++;
    } else if (by < 0 && now == 1) {
      contested--;
    } else if (now == 0) {
      firsts.remove(first(peers));
    }
  }

  private int first(PeerClass peers) {
    for (int attempt = 0; ; attempt++) {
      int number = peers.candidate(attempt) & mask;
      if (number != 0) {
        return number;
      }
    }
  }

  private void renumber(List<Moved> moved) {
    byNumber.clear();
    List<PeerClass> sorted = known.values().stream().sorted().toList();
    for (PeerClass peers : sorted) {
      int attempt = 0;
      int number = 0;
      while (number == 0 || byNumber.containsKey(number)) {
        number = peers.candidate(attempt++) & mask;
      }
      byNumber.put(number, peers);
      if (number != peers.number) {
        moved.add(new Moved(peers, peers.number, number));
        peers.number = number;
      }
    }
  }
}
