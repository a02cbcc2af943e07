package dev.sund.agent.apply;

import dev.sund.dataplane.ApplyReport;
import dev.sund.engine.cluster.Attachment;
import dev.sund.engine.cluster.ConntrackSettings;
import dev.sund.engine.program.LocalPod;
import dev.sund.engine.program.ProgramDelta;
import dev.sund.engine.program.Serving;
import dev.sund.kernel.KernelException;
import dev.sund.model.Condition;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The drivers together, as the loop sees them; parts are known by their driver's name. One thread
 * calls, {@code sund-dataplane}.
 *
 * <p>What is wanted and what is done are apart: {@link #want} changes what the kernel should hold
 * and touches nothing; {@link #apply} brings the kernel nearer to it, a bounded piece at a time;
 * {@link #resync} reads the kernel again, so that the next apply puts right what differs.
 */
public interface KernelSide {

  /** How far a pod's network is. */
  sealed interface Progress {
    /** All of it is in the kernel, or all of it is gone when it is not wanted. */
    record Done() implements Progress {}

    /** Something of it is still to be done. */
    record Pending() implements Progress {}

    /** The kernel refused, or something foreign is in the way. */
    record Failed(Condition condition) implements Progress {}
  }

  /** The drivers' names. */
  List<String> parts();

  /** Tells where an attached pod's namespace is, before its device is wanted. */
  void attached(String device, Attachment attachment);

  /** Forgets an attachment, after its device is not wanted any more. */
  void detached(String device);

  /** Changes what is wanted. */
  void want(ProgramDelta delta);

  /**
   * Who serves UDP frontends from now on: once what is wanted stands in the kernel, connections of
   * these frontends to others are ended.
   */
  void serving(Collection<Serving> changed);

  /** Changes how the table of connections is wanted to be. */
  void connections(ConntrackSettings settings);

  /** From now on what is ours and not wanted is removed. */
  void allowSweep();

  /**
   * Reads parts of the kernel again; what failed is taken up again.
   *
   * @throws KernelException when it could not be read; what was known before stays
   */
  void resync(Set<String> parts) throws KernelException;

  /** As {@link #resync}, but of parts of which it is known that nobody changed them, nothing. */
  void glance(Set<String> parts) throws KernelException;

  /**
   * Makes changes: first what is put, then what is removed.
   *
   * @param most how many a driver makes at most in each half
   * @return what each driver did that had something to do
   */
  Map<String, ApplyReport> apply(int most);

  /** Takes up again what failed. */
  void retry();

  /** How many changes wait in all, those that failed left out. */
  int pending();

  /** How many changes of a part wait, those that failed left out. */
  int pending(String part);

  /** All conditions now true of the drivers' objects, sorted. */
  List<Condition> conditions();

  /** How far a pod is that is wanted so. */
  Progress attachProgress(LocalPod pod);

  /** How far the translation of sources is. */
  Progress translationProgress();

  /** How far the removal of a pod is. */
  Progress detachProgress(LocalPod pod);
}
