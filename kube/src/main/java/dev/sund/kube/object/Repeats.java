package dev.sund.kube.object;

import java.util.concurrent.ConcurrentHashMap;

/**
 * Values that many objects have: names of nodes and zones, ports of slices. Of equal ones all
 * objects share the first, so that fifty thousand endpoints do not carry fifty thousand names of
 * nodes. For any thread.
 */
final class Repeats {
  /** A cluster of 5,000 nodes and 10,000 Services fits; what is beyond is begun anew. */
  private static final int MOST = 32_768;

  private static final ConcurrentHashMap<Object, Object> FIRST = new ConcurrentHashMap<>();

  private Repeats() {}

  /** The first value that was equal to this one. */
  @SuppressWarnings("unchecked") // equal values of records, strings and lists are of one class
  static <T> T one(T value) {
    if (FIRST.size() > MOST) {
      FIRST.clear();
    }
    Object before = FIRST.putIfAbsent(value, value);
    return before == null ? value : (T) before;
  }
}
