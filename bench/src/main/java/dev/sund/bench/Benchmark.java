package dev.sund.bench;

import java.util.List;

/** One measurement that {@code sund bench} can run. Found by {@link java.util.ServiceLoader}. */
public interface Benchmark {
  /** Its name on the command line: words in lower case joined by hyphens. */
  String name();

  /** One line: what is measured, beside what. */
  String what();

  /**
   * Measures and returns its rows. It runs on the main thread, in namespaces that {@code sund
   * bench} has for itself: {@code /run/netns} is empty, the only device is {@code lo}.
   */
  List<Row> run(Bench bench) throws Exception;
}
