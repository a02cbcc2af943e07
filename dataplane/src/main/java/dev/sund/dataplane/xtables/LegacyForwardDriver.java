package dev.sund.dataplane.xtables;

import dev.sund.dataplane.ApplyReport;
import dev.sund.dataplane.Driver;
import dev.sund.engine.program.Change;
import dev.sund.engine.program.LocalPod;
import dev.sund.engine.program.ProgramDelta;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.xtables.FilterSocket;
import dev.sund.kernel.xtables.FilterTable;
import dev.sund.kernel.xtables.FilterTable.Accept;
import dev.sund.model.Condition;
import dev.sund.model.Family;
import dev.sund.model.Marks;
import dev.sund.model.ObjectRef;
import dev.sund.model.Reason;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Has pods' packets accepted where the table {@code filter} of {@code iptables-legacy} drops by its
 * policy what is forwarded, for each family: two rules at the begin of {@code DOCKER-USER} where
 * that chain is, else of FORWARD (ADR 0027). Packets pass this table besides all of nf_tables, so
 * both have to let them pass.
 *
 * <p><b>How does a restarted agent know that a rule is ours?</b> By its comment, {@link
 * Marks#FORWARD_COMMENT}.
 *
 * <p><b>What happens to packets if we die right here?</b> The table is replaced in one piece.
 * Without an agent the rules stay; when their owner loads his rules anew, ours go, and packets are
 * dropped until an agent has put them back. The kernel does not tell of such changes: {@link
 * LegacyLook} looks for them.
 *
 * <p>On the dataplane thread.
 */
public final class LegacyForwardDriver implements Driver {
  /** This driver's {@link #name}. */
  public static final String NAME = "forward-legacy";

  private static final String DOCKER_USER = "DOCKER-USER";
  private static final List<Accept> RULES =
      List.of(
          new Accept(true, Marks.POD_DEVICE_PREFIX, Marks.FORWARD_COMMENT),
          new Accept(false, Marks.POD_DEVICE_PREFIX, Marks.FORWARD_COMMENT));

  private final List<FilterSocket> tables;
  private final Map<Family, State> seen = new EnumMap<>(Family.class);
  private final Set<String> pods = new HashSet<>();
  private Optional<Condition> refused = Optional.empty();
  private boolean held;
  private boolean maySweep;
  private volatile long changes;

  /** What a table has of what concerns us. */
  enum State {
    /** Nothing is dropped, and no rule of ours is there. */
    OPEN,
    /** Nothing is dropped, but rules of ours are there. */
    OPEN_WITH_OURS,
    /** What is forwarded is dropped, and pods' packets are accepted. */
    ACCEPTED,
    /** What is forwarded is dropped, pods' packets too. */
    DROPPED;

    static State of(FilterTable table) {
      int ours = table.count(Marks.FORWARD_COMMENT);
      if (!table.dropsForwarded()) {
        return ours == 0 ? OPEN : OPEN_WITH_OURS;
      }
      boolean right = ours == RULES.size() && table.begins(place(table), RULES);
      return right ? ACCEPTED : DROPPED;
    }
  }

  private LegacyForwardDriver(List<FilterSocket> tables) {
    this.tables = tables;
  }

  /** A driver of both families' tables in a namespace. */
  public static LegacyForwardDriver open(NetNs namespace) throws KernelException {
    return new LegacyForwardDriver(sockets(namespace));
  }

  static List<FilterSocket> sockets(NetNs namespace) throws KernelException {
    List<FilterSocket> opened = new ArrayList<>();
    try {
      for (Family family : Family.values()) {
        opened.add(FilterSocket.open(namespace, family));
      }
      return List.copyOf(opened);
    } catch (KernelException | RuntimeException e) {
      opened.forEach(FilterSocket::close);
      throw e;
    }
  }

  /** How often it has changed a table. From any thread. */
  public long changes() {
    return changes;
  }

  private static Optional<String> place(FilterTable table) {
    return table.hasChain(DOCKER_USER) ? Optional.of(DOCKER_USER) : Optional.empty();
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public void want(ProgramDelta delta) {
    for (Change<String, LocalPod> change : delta.localPods()) {
      switch (change) {
        case Change.Put<String, LocalPod>(var device, var _, var _) -> pods.add(device);
        case Change.Remove<String, LocalPod>(var device, var _) -> pods.remove(device);
      }
    }
  }

  @Override
  public ApplyReport resync() throws KernelException {
    seen.clear();
    for (FilterSocket socket : tables) {
      socket.read().ifPresent(table -> seen.put(socket.family(), State.of(table)));
    }
    retry();
    return ApplyReport.of(conditions());
  }

  @Override
  public ApplyReport apply(Step step, int most) {
    if (held) {
      return ApplyReport.of(conditions());
    }
    List<String> done = new ArrayList<>();
    List<ApplyReport.Failure> failed = new ArrayList<>();
    for (FilterSocket socket : tables) {
      if (isDue(socket.family(), step)) {
        try {
          if (socket.change(now -> step == Step.PUT ? wanted(now) : Optional.of(without(now)))) {
            changes++;
            done.add((step == Step.PUT ? "accept pods' packets in " : "withdraw from ") + socket);
          }
          socket.read().ifPresent(table -> seen.put(socket.family(), State.of(table)));
          refused = Optional.empty();
        } catch (KernelException e) {
          ObjectRef object = new ObjectRef("table", socket.toString());
          Condition condition =
              new Condition(
                  Reason.KERNEL_REFUSED,
                  object,
                  "",
                  e.getMessage() + ".",
                  "The change is tried again; until then pods' packets are dropped by this table.");
          refused = Optional.of(condition);
          held = true;
          failed.add(new ApplyReport.Failure(object, condition, Optional.of(e)));
        }
      }
    }
    return new ApplyReport(
        List.copyOf(done), pending(), failed, conditions(), done.size(), Set.of());
  }

  private boolean isDue(Family family, Step step) {
    State state = seen.get(family);
    if (state == null) {
      return false;
    }
    return switch (state) {
      case OPEN -> false;
      case OPEN_WITH_OURS -> step == Step.REMOVE && maySweep;
      case ACCEPTED -> step == Step.REMOVE && maySweep && pods.isEmpty();
      case DROPPED -> step == Step.PUT && !pods.isEmpty();
    };
  }

  private static Optional<FilterTable> wanted(FilterTable now) {
    return State.of(now) == State.DROPPED
        ? Optional.of(without(now).with(place(now), RULES))
        : Optional.empty();
  }

  private static FilterTable without(FilterTable now) {
    return now.without(Marks.FORWARD_COMMENT);
  }

  private List<Condition> conditions() {
    List<Condition> all = new ArrayList<>();
    refused.ifPresent(all::add);
    for (FilterSocket socket : tables) {
      if (seen.get(socket.family()) == State.ACCEPTED && !pods.isEmpty()) {
        all.add(
            new Condition(
                Reason.FORWARD_DROPPED,
                new ObjectRef("chain", socket + " FORWARD"),
                "policy",
                "It drops what is forwarded; Sund accepts pods' packets in it.",
                "Nothing needs to be done."));
      }
    }
    return all;
  }

  /**
   * Which of a node's tables drop pods' packets, for who has no agent to ask.
   *
   * @throws KernelException when they could not be read
   */
  public static List<String> dropping(NetNs namespace) throws KernelException {
    try (LegacyForwardDriver driver = open(namespace)) {
      driver.resync();
      return driver.tables.stream()
          .filter(socket -> driver.seen.get(socket.family()) == State.DROPPED)
          .map(FilterSocket::toString)
          .toList();
    }
  }

  /** Removes all rules of ours; what was removed, or would be. */
  public static List<String> removeAll(NetNs namespace, boolean dryRun) throws KernelException {
    List<String> lines = new ArrayList<>();
    try (LegacyForwardDriver driver = open(namespace)) {
      for (FilterSocket socket : driver.tables) {
        Optional<FilterTable> table = socket.read();
        if (table.isPresent() && table.get().count(Marks.FORWARD_COMMENT) > 0) {
          lines.add("remove our rules from " + socket);
          if (!dryRun) {
            socket.change(now -> Optional.of(without(now)));
          }
        }
      }
    }
    return lines;
  }

  @Override
  public void allowSweep() {
    maySweep = true;
  }

  @Override
  public void retry() {
    held = false;
    refused = Optional.empty();
  }

  @Override
  public int pending() {
    if (held) {
      return 0;
    }
    int pending = 0;
    for (FilterSocket socket : tables) {
      pending += isDue(socket.family(), Step.PUT) || isDue(socket.family(), Step.REMOVE) ? 1 : 0;
    }
    return pending;
  }

  @Override
  public void close() {
    tables.forEach(FilterSocket::close);
  }
}
