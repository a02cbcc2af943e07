package dev.sund.dataplane.nft;

import dev.sund.dataplane.ApplyReport;
import dev.sund.dataplane.Driver;
import dev.sund.engine.program.Change;
import dev.sund.engine.program.LocalPod;
import dev.sund.engine.program.ProgramDelta;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.nft.Bytes;
import dev.sund.kernel.nft.Commit;
import dev.sund.kernel.nft.Expr;
import dev.sund.kernel.nft.NftChain;
import dev.sund.kernel.nft.NftFamily;
import dev.sund.kernel.nft.NftOp;
import dev.sund.kernel.nft.NftRule;
import dev.sund.kernel.nft.NftSocket;
import dev.sund.kernel.nft.Reg;
import dev.sund.kernel.nft.Userdata;
import dev.sund.kernel.nft.Verdict;
import dev.sund.model.Condition;
import dev.sund.model.Marks;
import dev.sund.model.ObjectRef;
import dev.sund.model.Reason;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Has pods' packets accepted where somebody else's chain drops by its policy what is forwarded, as
 * Docker's and ufw's do. The kernel drops a packet when one chain of the hook does, whatever others
 * say, so this cannot be done in a table of our own: it is the one exception to the rule that what
 * is foreign is left alone (ADR 0027). The rules stand at the begin of the chain {@code
 * DOCKER-USER} where the table has one, which Docker leaves to others, else at the begin of the
 * chain that drops; they accept what comes from or goes to a device of ours, and nothing else.
 *
 * <p><b>How does a restarted agent know that a rule is ours?</b> By its comment, {@link
 * Marks#FORWARD_COMMENT}.
 *
 * <p><b>What happens to packets if we die right here?</b> Each change is one transaction. Without
 * an agent the rules stay; when their owner loads his rules anew, ours go, and packets are dropped
 * until an agent has put them back.
 *
 * <p>Of tables of the older kernel interface ({@code iptables-legacy}) nothing is seen here: they
 * have {@link dev.sund.dataplane.xtables.LegacyForwardDriver}.
 *
 * <p>On the dataplane thread.
 */
public final class ForwardDriver implements Driver {
  /** This driver's {@link #name}. */
  public static final String NAME = "forward";

  private static final String DOCKER_USER = "DOCKER-USER";
  private static final Set<NftFamily> FAMILIES =
      Set.of(NftFamily.IP, NftFamily.IP6, NftFamily.INET);
  private static final Bytes OUR_DEVICES =
      Bytes.of(Marks.POD_DEVICE_PREFIX.getBytes(StandardCharsets.US_ASCII));

  private final NftPort nft;
  private final Set<String> pods = new HashSet<>();

  /** Chains that may hold rules of ours, as last read. */
  private List<Place> places = List.of();

  private Optional<Condition> refused = Optional.empty();
  private boolean held;
  private boolean maySweep;

  /**
   * A chain that may hold rules of ours.
   *
   * @param chain the chain
   * @param dropper the chain whose policy drops, where rules of ours belong here
   * @param ours the rules of ours that are in it
   */
  private record Place(NftChain chain, Optional<NftChain> dropper, List<NftRule> ours) {}

  /** A driver that owns {@code nft}. */
  public ForwardDriver(NftPort nft) {
    this.nft = nft;
  }

  /**
   * Whether a chain of this name may decide what is forwarded, so that a rule gone from it is news.
   */
  public static boolean mayDecide(String chain) {
    return chain.equals(DOCKER_USER)
        || chain.toLowerCase(java.util.Locale.ROOT).contains("forward");
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
    places = read();
    retry();
    return ApplyReport.of(conditions());
  }

  private List<Place> read() throws KernelException {
    List<NftChain> chains =
        nft.chains().stream()
            .filter(chain -> FAMILIES.contains(chain.family()) && !isOurs(chain))
            .toList();
    List<Place> found = new ArrayList<>();
    for (NftChain chain : chains) {
      Optional<NftChain> dropper = Optional.empty();
      if (chain.name().equals(DOCKER_USER)) {
        dropper =
            chains.stream()
                .filter(ForwardDriver::drops)
                .filter(one -> near(one, chain))
                .findFirst();
      } else if (!forwards(chain)) {
        continue;
      } else if (drops(chain) && chains.stream().noneMatch(one -> isUsersOf(one, chain))) {
        dropper = Optional.of(chain);
      }
      List<NftRule> ours = nft.rules(chain).stream().filter(ForwardDriver::isOurs).toList();
      found.add(new Place(chain, dropper, ours));
    }
    return found;
  }

  /** By its comment, which {@code iptables-restore} keeps in an expression of its own. */
  private static boolean isOurs(NftRule rule) {
    return rule.comment().equals(Marks.FORWARD_COMMENT)
        || rule.expressions().stream()
            .anyMatch(expression ->
                expression instanceof Expr.Unknown(var _, var attributes)
                    && new String(attributes.toArray(), StandardCharsets.ISO_8859_1)
                        .contains(Marks.FORWARD_COMMENT + "\0"));
  }

  private static boolean isOurs(NftChain chain) {
    return chain.family() == NftFamily.INET && chain.table().equals(Marks.TABLE);
  }

  private static boolean near(NftChain one, NftChain other) {
    return one.family() == other.family() && one.table().equals(other.table());
  }

  private static boolean isUsersOf(NftChain chain, NftChain dropper) {
    return chain.name().equals(DOCKER_USER) && near(chain, dropper);
  }

  private static boolean forwards(NftChain chain) {
    return chain
        .base()
        .filter(base -> base.type().equals("filter"))
        .filter(base -> base.hook() == NftChain.Hook.FORWARD.number())
        .isPresent();
  }

  private static boolean drops(NftChain chain) {
    return forwards(chain)
        && chain.base().map(NftChain.Base::policy).equals(Optional.of(Verdict.DROP));
  }

  @Override
  public ApplyReport apply(Step step, int most) {
    List<NftOp> ops =
        switch (step) {
          case PUT -> missing();
          case REMOVE -> superfluous();
        };
    if (ops.isEmpty() || held) {
      return ApplyReport.of(conditions());
    }
    List<ApplyReport.Failure> failed = new ArrayList<>();
    try {
      nft.commit(ops).orThrow();
      places = read();
      refused = Optional.empty();
    } catch (KernelException e) {
      ObjectRef object = new ObjectRef("chain", ops.getFirst().toString());
      Condition condition =
          new Condition(
              Reason.KERNEL_REFUSED,
              object,
              "",
              e.getMessage() + ".",
              "The change is tried again; until then pods' packets are dropped by this chain.");
      refused = Optional.of(condition);
      held = true;
      failed.add(new ApplyReport.Failure(object, condition, Optional.of(e)));
    }
    return new ApplyReport(
        failed.isEmpty() ? ops : List.of(), pending(), failed, conditions(), ops.size(), Set.of());
  }

  private List<NftOp> missing() {
    List<NftOp> ops = new ArrayList<>();
    for (Place place : places) {
      if (place.dropper().isPresent() && !pods.isEmpty() && !isRight(place)) {
        place.ours().forEach(rule -> ops.add(remove(rule)));
        wanted(place.chain()).forEach(rule -> ops.add(new NftOp.InsertRule(rule, 0)));
      }
    }
    return ops;
  }

  private List<NftOp> superfluous() {
    List<NftOp> ops = new ArrayList<>();
    for (Place place : places) {
      if (maySweep && (place.dropper().isEmpty() || pods.isEmpty())) {
        place.ours().forEach(rule -> ops.add(remove(rule)));
      }
    }
    return ops;
  }

  private static boolean isRight(Place place) {
    List<NftRule> wanted = wanted(place.chain());
    return wanted.size() == place.ours().size()
        && wanted.stream().allMatch(rule -> place.ours().stream().anyMatch(rule::doesTheSameAs));
  }

  private static NftOp remove(NftRule rule) {
    return new NftOp.DeleteRule(rule.family(), rule.table(), rule.chain(), rule.handle());
  }

  private static List<NftRule> wanted(NftChain chain) {
    return List.of(accept(chain, Expr.MetaKey.OIFNAME), accept(chain, Expr.MetaKey.IIFNAME));
  }

  private static NftRule accept(NftChain chain, Expr.MetaKey device) {
    return new NftRule(
        chain.family(),
        chain.table(),
        chain.name(),
        0,
        List.of(
            new Expr.Meta(device, Reg.R1),
            new Expr.Cmp(Reg.R1, Expr.Op.EQ, OUR_DEVICES),
            Expr.Counter.atZero(),
            Expr.Immediate.verdict(Verdict.ACCEPT)),
        Userdata.comment(Marks.FORWARD_COMMENT));
  }

  private List<Condition> conditions() {
    List<Condition> all = new ArrayList<>();
    refused.ifPresent(all::add);
    for (Place place : places) {
      if (place.dropper().isPresent() && !pods.isEmpty() && isRight(place)) {
        all.add(
            new Condition(
                Reason.FORWARD_DROPPED,
                new ObjectRef("chain", place.dropper().get().toString()),
                "policy",
                "It drops what is forwarded; Sund accepts pods' packets in chain "
                    + place.chain()
                    + ".",
                "Nothing needs to be done."));
      }
    }
    return all;
  }

  /**
   * Which of a node's chains drop pods' packets, for who has no agent to ask.
   *
   * @throws KernelException when they could not be read
   */
  public static List<String> dropping(NetNs namespace) throws KernelException {
    try (ForwardDriver driver = new ForwardDriver(NftPort.over(NftSocket.open(namespace)))) {
      return driver.read().stream()
          .filter(place -> !isRight(place))
          .flatMap(place -> place.dropper().stream())
          .map(NftChain::toString)
          .toList();
    }
  }

  /** Removes all rules of ours from others' chains; what was removed, or would be. */
  public static List<String> removeAll(NftPort nft, boolean dryRun) throws KernelException {
    ForwardDriver driver = new ForwardDriver(nft);
    driver.maySweep = true;
    driver.places = driver.read();
    List<NftOp> ops = driver.superfluous();
    List<String> lines = new ArrayList<>();
    for (Place place : driver.places) {
      if (!place.ours().isEmpty()) {
        lines.add("remove our rules from chain " + place.chain());
      }
    }
    if (!dryRun && !ops.isEmpty()) {
      Commit done = nft.commit(ops);
      done.orThrow();
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
    return held ? 0 : missing().size() + superfluous().size();
  }

  @Override
  public void close() {
    nft.close();
  }
}
