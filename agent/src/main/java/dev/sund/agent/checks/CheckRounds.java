package dev.sund.agent.checks;

import dev.sund.doctor.Check;
import dev.sund.doctor.Examination;
import dev.sund.doctor.Facts;
import dev.sund.doctor.Finding;
import dev.sund.doctor.Host;
import dev.sund.doctor.Result;
import dev.sund.doctor.Severity;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * What the checks say, over many rounds. A check that reads something dear (all pods' namespaces,
 * all rules, all connections) takes part in every tenth round only and keeps what it said between.
 * One thread.
 */
final class CheckRounds {
  /** Of how many rounds the dear checks take part in one. */
  static final int DEAR_EACH = 10;

  /** So many findings are kept; more of them say nothing new. */
  static final int MOST = 100;

  private static final Set<String> DEAR =
      Set.of(
          Host.FACTS + "/" + Facts.PODS,
          Host.FACTS + "/" + Facts.RULES,
          Host.FACTS + "/" + Facts.CONNECTIONS,
          Host.FACTS + "/" + Facts.PROXY);

  private final List<Check<?>> checks;
  private final Set<String> dear = new HashSet<>();
  private final Map<String, Said> said = new TreeMap<>();
  private int rounds;

  /** What one check said last. */
  private record Said(List<Open> open, List<Unread> unread) {}

  /**
   * A finding.
   *
   * @param check the check's name
   */
  record Open(String check, Severity severity, String object, String text, String remedy) {
    /** By which it is known again: numbers in its text change. */
    String key() {
      return check + " " + object;
    }
  }

  /** A check that could not read what it needs. */
  record Unread(String check, String why, String remedy) {}

  /**
   * How things stand.
   *
   * @param checks how many there are
   * @param open the findings, the worst first
   */
  record Standing(int checks, List<Open> open, List<Unread> unread) {
    static final Standing NONE = new Standing(0, List.of(), List.of());
  }

  CheckRounds(List<Check<?>> checks) {
    this.checks = checks;
  }

  /** The checks of the next round. */
  List<Check<?>> next() {
    boolean all = rounds++ % DEAR_EACH == 0;
    return checks.stream().filter(check -> all || !dear.contains(check.id())).toList();
  }

  /** Takes in what a round said; how things stand then. */
  Standing take(Examination examination) {
    for (Result result : examination.results()) {
      String id = result.check().id();
      if (result.sources().stream().anyMatch(DEAR::contains)) {
        dear.add(id);
      }
      List<Open> open = new ArrayList<>();
      for (Finding one : result.findings()) {
        open.add(new Open(id, one.severity(), one.object(), one.text(), one.remedy()));
      }
      List<Unread> unread =
          result.outcome() instanceof Result.Unread(String why, String remedy)
              ? List.of(new Unread(id, why, remedy))
              : List.of();
      said.put(id, new Said(List.copyOf(open), unread));
    }
    return new Standing(
        checks.size(),
        said.values().stream()
            .flatMap(one -> one.open().stream())
            .sorted(
                Comparator.comparing(Open::severity)
                    .thenComparing(Open::check)
                    .thenComparing(Open::object))
            .limit(MOST)
            .toList(),
        said.values().stream().flatMap(one -> one.unread().stream()).toList());
  }
}
