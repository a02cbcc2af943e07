package dev.sund.engine.policy;

import dev.sund.engine.program.PolicyPort;
import dev.sund.model.Protocol;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What is said to a pod's ports in a direction, for all pods of which the same is said. */
final class Profile {
  final long number;

  /** Disjoint, in order. */
  final List<Range> ranges;

  /** What is asked of all else. */
  final AskedRules others;

  /** For how many pods and directions it is. */
  int pods;

  /** Whether it has rows. */
  boolean live;

  /** The rules that are asked of some ports. */
  record Range(Protocol protocol, int first, int last, AskedRules rules) {}

  Profile(List<Range> ranges, AskedRules others) {
    this.ranges = List.copyOf(ranges);
    this.others = others;
    Digest content = new Digest().number(others.number).number(ranges.size());
    for (Range range : ranges) {
      content.text(range.protocol().label()).number(range.first()).number(range.last());
      content.number(range.rules().number);
    }
    this.number = content.done().word(0);
  }

  /** Its rows. */
  List<PolicyPort> rows() {
    List<PolicyPort> rows = new ArrayList<>();
    rows.add(new PolicyPort(PolicyPort.Key.others(number), 0, others.number));
    for (Range range : ranges) {
      rows.add(
          new PolicyPort(
              new PolicyPort.Key(number, Optional.of(range.protocol()), range.first()),
              range.last(),
              range.rules().number));
    }
    return rows;
  }
}
