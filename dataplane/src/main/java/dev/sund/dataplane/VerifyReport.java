package dev.sund.dataplane;

import dev.sund.model.Condition;
import dev.sund.model.NodeName;
import java.util.List;

/**
 * Whether a node's kernel holds what its program says.
 *
 * @param node the node
 * @param rows how many kernel objects were compared
 * @param drift every difference, sorted; empty when the kernel holds exactly the program
 * @param unread what could not be read and was not compared, one sentence each
 */
public record VerifyReport(NodeName node, int rows, List<Condition> drift, List<String> unread) {
  public VerifyReport {
    drift = List.copyOf(drift);
    unread = List.copyOf(unread);
  }

  /** Whether nothing differs. */
  public boolean isRight() {
    return drift.isEmpty();
  }
}
