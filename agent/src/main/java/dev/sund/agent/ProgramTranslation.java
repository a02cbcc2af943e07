package dev.sund.agent;

import dev.sund.agent.apply.ApplyLoop;
import dev.sund.agent.apply.AttachOutcome;
import dev.sund.agent.bridge.Translation;
import dev.sund.agent.cni.CniException;
import dev.sund.agent.cni.CniException.Code;
import dev.sund.engine.cluster.BridgedNetwork;
import dev.sund.engine.cluster.MappedContainer;
import dev.sund.model.Condition;
import dev.sund.model.Prefix;
import java.util.List;
import java.util.SortedSet;

/** Bridge mode's source translation, by the node's program. */
final class ProgramTranslation implements Translation {
  private final ApplyLoop loop;

  ProgramTranslation(ApplyLoop loop) {
    this.loop = loop;
  }

  @Override
  public void translate(String network, SortedSet<Prefix> subnets)
      throws CniException, InterruptedException {
    tell(
        loop.translate(new BridgedNetwork(network, List.copyOf(subnets)), AttachCalls.PATIENCE),
        "The kernel has not taken the rules of network " + network);
  }

  private static void tell(AttachOutcome outcome, String late) throws CniException {
    switch (outcome) {
      case AttachOutcome.Done _, AttachOutcome.Overtaken _ -> {
        // Overtaken by a later call about the same, which wants at least as much.
      }
      case AttachOutcome.Refused(List<Condition> why) ->
          throw new CniException(
              Code.KERNEL_REFUSED,
              why.getFirst().object() + ": " + why.getFirst().text(),
              why.getFirst().remedy());
      case AttachOutcome.TooLong() ->
          throw new CniException(
              Code.TRY_AGAIN_LATER,
              late + " within " + AttachCalls.PATIENCE.toSeconds() + " seconds.",
              "Look at the agent's status and log.");
    }
  }

  @Override
  public void open(MappedContainer container) throws CniException, InterruptedException {
    tell(
        loop.open(container, AttachCalls.PATIENCE),
        "The kernel has not taken the rules for the ports of container " + container.key());
  }

  @Override
  public void announce(MappedContainer container) {
    loop.announce(container);
  }

  @Override
  public void shut(String container) {
    loop.shut(container);
  }

  @Override
  public void announce(String network, SortedSet<Prefix> subnets) {
    loop.announce(new BridgedNetwork(network, List.copyOf(subnets)));
  }
}
