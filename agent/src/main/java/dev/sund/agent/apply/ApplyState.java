package dev.sund.agent.apply;

import dev.sund.model.Condition;
import java.util.List;
import java.util.Optional;

/**
 * What others may know of the data plane.
 *
 * @param applied the last batch whose outcome the kernel holds, as far as it took it
 * @param hold why the kernel is kept as it is, as a sentence; empty when it is not
 * @param settledOnce whether all that could be done has been done at least once
 * @param pending changes that wait for the next slice or for the kernel
 * @param engineConditions what the engine says of the cluster's objects
 * @param kernelConditions what the drivers say of the kernel's objects
 */
public record ApplyState(
    long applied,
    Optional<String> hold,
    boolean settledOnce,
    int pending,
    List<Condition> engineConditions,
    List<Condition> kernelConditions) {
  /** Nothing has been read yet. */
  static final ApplyState FIRST =
      new ApplyState(
          0,
          Optional.of("The kernel's state has not been read yet."),
          false,
          0,
          List.of(),
          List.of());

  public ApplyState {
    engineConditions = List.copyOf(engineConditions);
    kernelConditions = List.copyOf(kernelConditions);
  }
}
