package dev.sund.doctor;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * The checks of one run, in the order of the catalogue.
 *
 * @param results one for each check
 */
public record Examination(List<Result> results) {
  public Examination {
    results = List.copyOf(results);
  }

  /** A finding and the check that made it. */
  public record Found(Check<?> check, Finding finding) {}

  /**
   * Runs checks; one after the other, on the caller's thread. What changes is looked at twice, with
   * the host's window between; the checks that look once do so within it, so that it costs no time.
   *
   * @throws InterruptedException when the wait is broken off
   */
  public static Examination of(Host host, List<Check<?>> checks) throws InterruptedException {
    Set<String> sampled = new LinkedHashSet<>();
    checks.forEach(check -> sampled.addAll(check.sampled()));
    Map<Check<?>, Result> results = new IdentityHashMap<>();
    host.beginWindow(sampled);
    for (Check<?> check : checks) {
      if (check.sampled().isEmpty()) {
        results.put(check, check.examine(host));
      }
    }
    if (!sampled.isEmpty()) {
      host.endWindow();
    }
    for (Check<?> check : checks) {
      if (!check.sampled().isEmpty()) {
        results.put(check, check.examine(host));
      }
    }
    return new Examination(
        checks.stream().map(check -> Objects.requireNonNull(results.get(check))).toList());
  }

  /** Runs checks, and looks at nothing twice: of a host whose window is over. */
  public static Examination now(Host host, List<Check<?>> checks) {
    List<Result> results = new ArrayList<>();
    for (Check<?> check : checks) {
      results.add(check.examine(host));
    }
    return new Examination(results);
  }

  /** All findings, the worst first. */
  public List<Found> findings() {
    return results.stream()
        .flatMap(result -> result.findings().stream().map(one -> new Found(result.check(), one)))
        .sorted(Comparator.comparing((Found found) -> found.finding().severity()))
        .toList();
  }

  /** The checks that could not read what they need. */
  public List<Result> unread() {
    return results.stream().filter(result -> result.outcome() instanceof Result.Unread).toList();
  }

  /** The worst that was found. */
  public Optional<Severity> worst() {
    return findings().stream().findFirst().map(found -> found.finding().severity());
  }
}
