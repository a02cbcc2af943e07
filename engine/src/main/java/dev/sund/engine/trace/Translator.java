package dev.sund.engine.trace;

import dev.sund.engine.program.Endpoint;
import dev.sund.engine.program.Frontend;
import dev.sund.engine.program.Frontend.MasqueradeClass;
import dev.sund.engine.program.Frontend.Place;
import dev.sund.engine.program.Frontend.View;
import dev.sund.engine.trace.Trace.AtNode;
import dev.sund.engine.trace.Trace.Carriage;
import dev.sund.engine.trace.Trace.Stage;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.Reason;
import dev.sund.model.RuleId;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What nodes do to the addresses of one packet, and what their connection tracking undoes for its
 * answer: destinations when it comes to a node or is born there, sources when it leaves.
 */
final class Translator {
  private static final Ip LOOPBACK_V4 = Ip.parse("127.0.0.1");

  private final Walk walk;
  private final List<Translation> translations = new ArrayList<>();
  private final List<Translation> toUndo = new ArrayList<>();
  private final List<Redirection> redirections = new ArrayList<>();
  private final List<Redirection> redirectionsToUndo = new ArrayList<>();

  /** Nodes that track the connection that this packet belongs to, and do not translate it anew. */
  private final Set<String> tracked = new HashSet<>();

  private final Set<String> seen = new HashSet<>();
  private boolean translatable = true;

  /** A source translated by a node. */
  private record Translation(String node, Ip original, Ip translated) {}

  /**
   * A destination translated by a node.
   *
   * @param masquerade which sources are translated behind it
   */
  private record Redirection(
      String node, Ip asked, Frontend frontend, Endpoint endpoint, MasqueradeClass masquerade) {}

  /** A source and by which rule a packet gets it. */
  private record Lent(Optional<Ip> source, RuleId rule) {}

  Translator(Walk walk) {
    this.walk = walk;
  }

  /** This is about the answer to the packet of {@code there}. */
  void answer(Translator there) {
    toUndo.addAll(there.translations);
    redirectionsToUndo.addAll(there.redirections);
    tracked.addAll(there.seen);
  }

  /** This is about an ICMP error on the packet of {@code there}. */
  void notice(Translator there) {
    toUndo.addAll(there.translations);
    redirectionsToUndo.addAll(there.redirections);
    translatable = false;
  }

  /** A node has seen the packet, and so knows its connection. */
  void sees(NodeView view) {
    seen.add(view.name());
  }

  /** The packet comes to a node: its destination is again who it was before a source changed. */
  void arrives(NodeView view) {
    for (Translation done : toUndo) {
      if (done.node().equals(view.name()) && done.translated().equals(walk.destination)) {
        hop(
            view,
            Stage.MASQUERADE,
            "",
            Optional.empty(),
            "destination %s is translated back to %s".formatted(walk.destination, done.original()));
        walk.destination = done.original();
        return;
      }
    }
  }

  /** The packet ends at the node itself. */
  void comesIn(NodeView view) {
    undoRedirection(view);
  }

  /** The frontend that the packet meets at a node; empty when it goes on as it is. */
  Optional<Frontend> frontend(NodeView view) {
    return translatable && !tracked.contains(view.name())
        ? view.frontend(walk.destination, walk.protocol, walk.port)
            .filter(frontend ->
                !(frontend.answer(asking(view)).action() instanceof Frontend.Action.Balance)
                    || view.endpoint(frontend, asking(view), 0).isPresent())
        : Optional.empty();
  }

  /** Pods of the cluster, the node itself and containers on its bridges ask from inside. */
  private View asking(NodeView view) {
    boolean inside =
        isBornOn(view)
            || walk.source
                .filter(from -> view.isLocal(from) || view.isOfPods(from) || view.isBridged(from))
                .isPresent();
    return inside ? View.INSIDE : View.OUTSIDE;
  }

  private boolean isBornOn(NodeView view) {
    return walk.bornOn.equals(Optional.of(view.name()));
  }

  /** Translates the destination where the program says so; false when the packet ends by that. */
  boolean redirects(NodeView view) {
    Optional<Frontend> met = frontend(view);
    if (met.isEmpty()) {
      return true;
    }
    Frontend frontend = met.get();
    if (walk.destination.isLoopback()
        && frontend.key().place() instanceof Place.AnyLocal
        && !frontend.loopback()) {
      stop(
          view,
          frontend,
          Reason.LOOPBACK_REFUSED,
          "the loopback address is none of those that answer for");
      walk.ownKernelTells = true;
      return false;
    }
    if (frontend.limited() && walk.source.filter(from -> view.mayAsk(frontend, from)).isEmpty()) {
      stop(
          view,
          frontend,
          Reason.SOURCE_NOT_ALLOWED,
          walk.source.map(Ip::toString).orElse("nobody") + " may not ask");
      return false;
    }
    View asking = asking(view);
    Frontend.Answer answer = frontend.answer(asking);
    return switch (answer.action()) {
      case Frontend.Action.Balance(int endpoints) -> {
        int slot = walk.choose(frontend.key(), endpoints);
        view.endpoint(frontend, asking, slot)
            .ifPresent(to -> redirect(view, frontend, answer, to, endpoints));
        yield true;
      }
      case Frontend.Action.Reject() -> {
        stop(view, frontend, Reason.NO_ENDPOINTS, "nobody answers for");
        walk.toldBy = Optional.of(new AtNode(new NodeName(view.name())));
        yield false;
      }
      case Frontend.Action.Drop() -> {
        stop(view, frontend, Reason.NO_LOCAL_ENDPOINTS, "nobody here answers for");
        yield false;
      }
    };
  }

  private void stop(NodeView view, Frontend frontend, Reason why, String text) {
    walk.outcome = why;
    walk.stoppedAt = Optional.of(view.name());
    hop(
        view,
        Stage.TRANSLATE,
        "",
        Optional.of(frontend.rule()),
        why.code() + ": " + text + " " + frontend.key());
  }

  private void redirect(
      NodeView view, Frontend frontend, Frontend.Answer answer, Endpoint endpoint, int endpoints) {
    hop(
        view,
        Stage.TRANSLATE,
        "",
        Optional.of(frontend.rule()),
        "%s becomes %s port %d%s"
            .formatted(
                frontend.key(),
                endpoint.address(),
                endpoint.port(),
                endpoints == 1 ? "" : ", one of " + endpoints));
    redirections.add(
        new Redirection(view.name(), walk.destination, frontend, endpoint, answer.masquerade()));
    walk.destination = endpoint.address();
    walk.port = endpoint.port();
  }

  /** The sender of an answer is again whom the asker asked, once the node that knows has it. */
  private void undoRedirection(NodeView view) {
    for (Redirection done : redirectionsToUndo) {
      Ip address = done.endpoint().address();
      if (done.node().equals(view.name()) && walk.source.equals(Optional.of(address))) {
        hop(
            view,
            Stage.TRANSLATE,
            "",
            Optional.empty(),
            "source %s is translated back to %s".formatted(address, done.asked()));
        walk.source = Optional.of(done.asked());
        return;
      }
    }
  }

  /**
   * The packet leaves a node by {@code device}: translates its source where the program says so;
   * false when that stops it.
   */
  boolean leaves(NodeView view, String device, Ip nextHop) {
    undoRedirection(view);
    Optional<Lent> given = lent(view, device, nextHop);
    if (given.isEmpty() || walk.source.isEmpty()) {
      return true;
    }
    Optional<Ip> lent = given.get().source();
    if (lent.isEmpty()) {
      walk.stop(
          view.name(),
          Stage.MASQUERADE,
          Reason.NO_SOURCE_ADDRESS,
          "the node has no %s address to lend".formatted(nextHop.family().label()));
      return false;
    }
    hop(
        view,
        Stage.MASQUERADE,
        device,
        Optional.of(given.get().rule()),
        "source %s becomes %s".formatted(walk.source.get(), lent.get()));
    translations.add(new Translation(view.name(), walk.source.get(), lent.get()));
    walk.source = lent;
    return true;
  }

  /** Which source a packet gets that leaves by {@code device}; empty when it keeps its own. */
  private Optional<Lent> lent(NodeView view, String device, Ip nextHop) {
    if (!translatable || tracked.contains(view.name()) || walk.source.isEmpty()) {
      return Optional.empty();
    }
    Ip from = walk.source.get();
    Optional<RuleId> leaving = view.masquerades(from, walk.destination);
    if (leaving.isPresent()) {
      return Optional.of(new Lent(view.sourceOn(device, nextHop), leaving.get()));
    }
    for (Redirection done : redirections) {
      if (done.node().equals(view.name())) {
        Optional<RuleId> near = view.neighbours(from, walk.destination);
        if (near.isPresent()) {
          return Optional.of(new Lent(view.sourceOn(device, nextHop), near.get()));
        }
        Endpoint endpoint = done.endpoint();
        boolean unanswerable = from.equals(walk.destination) || from.equals(LOOPBACK_V4);
        if (unanswerable && endpoint.lent().isPresent()) {
          return Optional.of(new Lent(endpoint.lent(), done.frontend().rule()));
        }
        if (isTranslated(done.masquerade(), view, from)) {
          return Optional.of(
              new Lent(
                  endpoint.lent().or(() -> view.sourceOn(device, nextHop)),
                  done.frontend().rule()));
        }
      }
    }
    return Optional.empty();
  }

  private boolean isTranslated(MasqueradeClass masquerade, NodeView view, Ip from) {
    return switch (masquerade) {
      case KEEP_SOURCE -> false;
      case ALWAYS -> true;
      case FROM_OUTSIDE -> !view.isOfPods(from);
      case FROM_NODE -> isBornOn(view);
    };
  }

  private void hop(NodeView view, Stage stage, String device, Optional<RuleId> rule, String text) {
    walk.hop(view.name(), stage, Carriage.LOCAL, device, 0, rule, text);
  }
}
