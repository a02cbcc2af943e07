package dev.sund.agent.apply;

import dev.sund.engine.cluster.Attachment;
import dev.sund.engine.cluster.ConntrackSettings;
import dev.sund.engine.program.LocalPod;
import dev.sund.engine.program.ProgramDelta;
import dev.sund.engine.program.Serving;
import dev.sund.model.Condition;
import java.util.List;
import java.util.Optional;

/**
 * What the engine's thread hands to the data plane's: the outcome of one batch of events.
 *
 * @param number of the batch, from 1, rising
 * @param delta what changed in the program
 * @param conditions all conditions of the engine that hold now
 * @param hold why the kernel must stay as it is for now, as a sentence; empty when changes may be
 *     made
 * @param attached the pods that the batch attached
 * @param detached the pods that the batch detached
 * @param serving of UDP frontends whose serving endpoints changed: who they are now
 * @param conntrack how the table of connections is to be, when that was told
 * @param tickets of what the batch said about networks on bridges and containers' ports
 */
record Handover(
    long number,
    ProgramDelta delta,
    List<Condition> conditions,
    Optional<String> hold,
    List<Coming> attached,
    List<Going> detached,
    List<Serving> serving,
    Optional<ConntrackSettings> conntrack,
    List<String> tickets) {
  Handover {
    conditions = List.copyOf(conditions);
    attached = List.copyOf(attached);
    detached = List.copyOf(detached);
    serving = List.copyOf(serving);
    tickets = List.copyOf(tickets);
  }

  /** A batch that said nothing about networks on bridges, containers' ports and who serves. */
  Handover(
      long number,
      ProgramDelta delta,
      List<Condition> conditions,
      Optional<String> hold,
      List<Coming> attached,
      List<Going> detached) {
    this(
        number,
        delta,
        conditions,
        hold,
        attached,
        detached,
        List.of(),
        Optional.empty(),
        List.of());
  }

  /**
   * A pod that is attached.
   *
   * @param device its device
   * @param attachment what was asked
   * @param wanted its row in the program; empty when the engine refused it
   * @param refusals why, when it did
   */
  record Coming(
      String device, Attachment attachment, Optional<LocalPod> wanted, List<Condition> refusals) {
    Coming {
      refusals = List.copyOf(refusals);
    }
  }

  /**
   * A pod that is detached.
   *
   * @param attachmentKey its attachment
   * @param was its row until now; empty when it had none
   */
  record Going(String attachmentKey, Optional<LocalPod> was) {}
}
