package dev.sund.lab.matrix;

import dev.sund.lab.question.Answer;
import dev.sund.lab.question.Question;

/**
 * A question with its three answers.
 *
 * @param question what was asked
 * @param wanted by the programs that the cluster's objects ask for
 * @param inForce by the programs that the nodes' kernels hold
 * @param measured by packets
 */
public record Cell(Question question, Answer wanted, Answer inForce, Answer measured) {
  /** Whether the kernel does what it is read to hold. It must, whatever the cluster wants. */
  public boolean measuredAsInForce() {
    return inForce.agreesWith(measured);
  }

  /** Whether the kernel holds something else than the cluster wants. */
  public boolean drifts() {
    return !wanted.agreesWith(inForce);
  }

  /** Whether all three say the same. */
  public boolean agrees() {
    return measuredAsInForce() && !drifts();
  }
}
