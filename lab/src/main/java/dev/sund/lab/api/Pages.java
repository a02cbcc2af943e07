package dev.sund.lab.api;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Lists that are being read in pages: each page continues the list as it was when the first was
 * read. The oldest is forgotten when there are too many, and its continue token answered with 410.
 */
final class Pages {
  private static final int MOST = 64;

  private final AtomicLong tokens = new AtomicLong();
  private final Map<String, Rest> rests =
      new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Rest> eldest) {
          return size() > MOST;
        }
      };

  /**
   * What is left of a list.
   *
   * @param objects not yet told
   * @param version the resourceVersion of the whole list
   */
  record Rest(List<Stored> objects, long version) {}

  synchronized String keep(Rest rest) {
    String token = "page-" + tokens.incrementAndGet();
    rests.put(token, rest);
    return token;
  }

  synchronized Rest take(String token) throws StatusException {
    Rest rest = rests.get(token);
    if (rest == null) {
      throw new StatusException(
          410,
          "Expired",
          "The provided continue parameter is too old to display a consistent list result.");
    }
    return rest;
  }

  synchronized void forgetAll() {
    rests.clear();
  }
}
