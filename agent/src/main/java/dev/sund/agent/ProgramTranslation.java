package dev.sund.agent;

import dev.sund.agent.apply.ApplyLoop;
import dev.sund.agent.apply.AttachOutcome;
import dev.sund.agent.bridge.Translation;
import dev.sund.agent.cni.CniException;
import dev.sund.agent.cni.CniException.Code;
import dev.sund.engine.cluster.BridgedNetwork;
import dev.sund.engine.cluster.MappedContainer;
import dev.sund.engine.cluster.PortOnBridge;
import dev.sund.model.Condition;
import dev.sund.model.Prefix;
import java.util.List;
import java.util.Optional;
import java.util.SortedSet;
import java.util.function.Supplier;

/** Bridge mode's source translation, by the node's program. */
final class ProgramTranslation implements Translation {
  private final ApplyLoop loop;
  private final Supplier<Optional<String>> notReady;

  /**
   * By a node's loop.
   *
   * @param notReady why pods' networks have to wait, if they have to
   */
  ProgramTranslation(ApplyLoop loop, Supplier<Optional<String>> notReady) {
    this.loop = loop;
    this.notReady = notReady;
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
  public void join(PortOnBridge port) throws CniException, InterruptedException {
    Optional<String> reason = notReady.get();
    if (reason.isPresent()) {
      throw new CniException(
          Code.TRY_AGAIN_LATER,
          reason.get(),
          "The runtime tries again by itself; if it lasts, look at the agent's /readyz and log.");
    }
    tell(
        loop.join(port, AttachCalls.PATIENCE),
        "The kernel has not taken the policies of container " + port.key());
    for (Condition condition : loop.state().kernelConditions()) {
      if (condition.object().kind().startsWith("nft ")
          && condition.object().name().startsWith("bridge ")) {
        tell(new AttachOutcome.Refused(List.of(condition)), "");
      }
    }
  }

  @Override
  public void announce(PortOnBridge port) {
    loop.announce(port);
  }

  @Override
  public void leave(String container) {
    loop.leave(container);
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
