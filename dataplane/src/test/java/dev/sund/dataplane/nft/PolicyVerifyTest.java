package dev.sund.dataplane.nft;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.engine.cluster.Namespace;
import dev.sund.engine.cluster.NodeFacts;
import dev.sund.engine.cluster.Policy;
import dev.sund.engine.cluster.Policy.Action;
import dev.sund.engine.cluster.Policy.AllPorts;
import dev.sund.engine.cluster.Policy.Block;
import dev.sund.engine.cluster.Policy.Peer;
import dev.sund.engine.cluster.Policy.PeerPort;
import dev.sund.engine.cluster.Policy.PortRange;
import dev.sund.engine.policy.PolicyCompiler;
import dev.sund.engine.policy.PolicyPod;
import dev.sund.engine.program.BridgePort;
import dev.sund.engine.program.LocalPod;
import dev.sund.engine.program.PacketProgram;
import dev.sund.kernel.nft.Bytes;
import dev.sund.kernel.nft.Expr;
import dev.sund.kernel.nft.NftChain;
import dev.sund.kernel.nft.NftContents;
import dev.sund.kernel.nft.NftElement;
import dev.sund.kernel.nft.NftRule;
import dev.sund.kernel.nft.NftSet;
import dev.sund.kernel.nft.NftTable;
import dev.sund.kernel.nft.Reg;
import dev.sund.kernel.nft.Userdata;
import dev.sund.model.Condition;
import dev.sund.model.Ip;
import dev.sund.model.LabelSelector;
import dev.sund.model.Mac;
import dev.sund.model.NodeName;
import dev.sund.model.ObjectRef;
import dev.sund.model.PodKey;
import dev.sund.model.Prefix;
import dev.sund.model.Protocol;
import dev.sund.model.Reason;
import dev.sund.model.RuleId;
import dev.sund.model.RuleId.Direction;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.BiFunction;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * {@code sund verify} finds whatever is missing, surplus or different in the tables of policies,
 * one thing at a time, each of all that there are; and names it.
 */
class PolicyVerifyTest {
  private static final Direction IN = Direction.INGRESS;
  private static final Direction OUT = Direction.EGRESS;
  private static final Peer WEB = Policy.Pods.in("shop", LabelSelector.of(Map.of("app", "web")));
  private static final Peer OFFICE =
      new Block(Prefix.parse("192.0.2.0/24"), List.of(Prefix.parse("192.0.2.128/25")));
  private static final Peer OFFICE_V6 = new Block(Prefix.parse("2001:db8:7::/48"), List.of());

  /** A table of policies: what it should be, and what verify says of another. */
  private record Kind(
      String name,
      TableImage image,
      BiFunction<PacketProgram, Optional<NftContents>, List<Condition>> differences) {
    List<Condition> says(Optional<NftContents> contents) {
      return differences.apply(program(), contents);
    }

    @Override
    public String toString() {
      return name;
    }
  }

  private static List<Kind> kinds() {
    return List.of(
        new Kind("inet sund-policy", PolicyImage.of(program()), PolicyImage::differences),
        new Kind(
            "bridge sund-policy",
            BridgeTableDriver.image(program()),
            BridgeTableDriver::differences));
  }

  private static Policy.Rule rule(
      Direction direction, int index, Action action, List<Peer> peers, PeerPort... ports) {
    return new Policy.Rule(direction, index, "", action, peers, List.of(ports));
  }

  private static Policy policy(
      String name, Policy.Tier tier, Map<String, String> pods, Policy.Rule... rules) {
    boolean ofNamespace = tier == Policy.Tier.NAMESPACE;
    Set<Direction> directions = new HashSet<>();
    Arrays.stream(rules).map(Policy.Rule::direction).forEach(directions::add);
    return new Policy(
        ofNamespace
            ? new ObjectRef(Policy.NETWORK_POLICY, "shop/" + name)
            : new ObjectRef(Policy.CLUSTER_NETWORK_POLICY, name),
        "uid-" + name,
        1,
        1,
        tier,
        0,
        Policy.Pods.in("shop", LabelSelector.of(pods)),
        ofNamespace ? directions : Set.of(),
        List.of(rules));
  }

  private static List<Ip> addresses(int number) {
    return List.of(Ip.parse("10.244.1." + number), Ip.parse("fd00:10:244:1::" + number));
  }

  /** Two pods with links of their own, one on a bridge; every kind of rule. */
  private static PacketProgram program() {
    PolicyCompiler compiler = new PolicyCompiler();
    compiler.put(new Namespace("shop", "u", 1, Map.of()));
    SortedMap<String, LocalPod> pods = new TreeMap<>();
    int number = 5;
    for (String app : List.of("web", "db", "job")) {
      PodKey key = new PodKey("shop", app);
      List<Ip> addresses = addresses(number++);
      compiler.put(
          new PolicyPod(
              key, "u-" + app, 1, Map.of("app", app), false, false, addresses, List.of()));
      compiler.attach(key, addresses);
      if (!app.equals("job")) {
        pods.put(
            "sund" + app,
            new LocalPod(
                "sund" + app,
                key,
                "u-" + app,
                addresses,
                Mac.parse("02:00:00:00:00:0" + number),
                1500,
                0,
                RuleId.of("Pod", "shop/" + app, "u-" + app)));
      }
    }
    compiler.put(
        policy(
            "db",
            Policy.Tier.NAMESPACE,
            Map.of("app", "db"),
            rule(IN, 0, Action.ACCEPT, List.of(WEB), new PortRange(Protocol.TCP, 5432, 5432)),
            rule(
                IN,
                1,
                Action.ACCEPT,
                List.of(OFFICE, OFFICE_V6),
                new PortRange(Protocol.UDP, 1000, 1999)),
            rule(OUT, 0, Action.ACCEPT, List.of(WEB), new AllPorts())));
    compiler.put(
        policy(
            "job",
            Policy.Tier.NAMESPACE,
            Map.of("app", "job"),
            rule(IN, 0, Action.ACCEPT, List.of(WEB), new AllPorts())));
    compiler.put(
        policy(
            "no-ssh",
            Policy.Tier.ADMIN,
            Map.of(),
            rule(IN, 0, Action.DENY, List.of(WEB), new PortRange(Protocol.TCP, 22, 22))));
    compiler.compile();
    BridgePort port =
        new BridgePort(
            "vethjob", "cni0", addresses(7), RuleId.of(RuleId.CONTAINER, "abc/eth0", ""));
    return new PacketProgram(
        new NodeName("n1"),
        List.of(),
        NodeFacts.NONE,
        pods,
        new TreeMap<>(),
        new TreeMap<>(),
        new TreeMap<>(),
        new TreeMap<>(),
        new TreeMap<>(),
        new TreeMap<>(),
        new TreeMap<>(),
        compiler.tables(),
        new TreeMap<>(Map.of(port.device(), port)));
  }

  /** What the kernel holds when it holds this. */
  private static Optional<NftContents> contents(TableImage image) {
    SortedMap<String, NftChain> chains = new TreeMap<>();
    SortedMap<String, List<NftRule>> rules = new TreeMap<>();
    for (NftChain chain : image.chains()) {
      chains.put(chain.name(), chain);
      rules.put(chain.name(), image.rulesOf(chain.name()));
    }
    SortedMap<String, NftSet> sets = new TreeMap<>();
    SortedMap<String, List<NftElement>> elements = new TreeMap<>();
    for (NftSet set : image.sets()) {
      sets.put(set.name(), set);
      elements.put(set.name(), image.elementsOf(set.name()));
    }
    return Optional.of(new NftContents(1, image.table(), chains, rules, sets, elements));
  }

  private static TableImage with(TableImage image, NavigableMap<RangeKey, Entry> entries) {
    return new TableImage(image.table(), image.chains(), image.sets(), image.rules(), entries);
  }

  private static <T> List<T> changed(List<T> all, UnaryOperator<List<T>> change) {
    return List.copyOf(change.apply(new ArrayList<>(all)));
  }

  /** One difference, of this kind, of this object, that says this. */
  private static void isNamed(
      Kind kind, TableImage is, Reason reason, ObjectRef object, String... says) {
    assertThat(kind.says(contents(is)))
        .as("%s of %s", reason, object)
        .anySatisfy(found -> {
          assertThat(found.reason()).isEqualTo(reason);
          assertThat(found.object()).isEqualTo(object);
          assertThat(List.of(says)).allMatch(text -> found.toString().contains(text));
        });
  }

  @Test
  void whatIsAsItShouldBeIsNoDifference() {
    for (Kind kind : kinds()) {
      assertThat(kind.says(contents(kind.image))).isEmpty();
      assertThat(kind.image.entries()).as("elements of " + kind).hasSizeGreaterThan(3);
      assertThat(kind.says(Optional.empty()))
          .singleElement()
          .asString()
          .contains("no policy is in force");
    }
  }

  @TestFactory
  Stream<DynamicTest> eachElementThatIsMissingSurplusOrDifferentIsNamedWithItsRule() {
    return kinds().stream()
        .map(kind ->
            DynamicTest.dynamicTest(
                kind.name, () -> kind.image.entries().forEach((key, _) -> element(kind, key))));
  }

  private static void element(Kind kind, RangeKey key) {
    NavigableMap<RangeKey, Entry> right = kind.image.entries();
    Entry entry = right.get(key);
    ObjectRef object = TableCheck.object(kind.image.table(), key);
    NavigableMap<RangeKey, Entry> without = new TreeMap<>(right);
    without.remove(key);
    isNamed(kind, with(kind.image, without), Reason.DRIFT_MISSING, object, entry.comment());

    NavigableMap<RangeKey, Entry> called = new TreeMap<>(right);
    called.put(key, Entry.read("another's", entry.data()));
    isNamed(
        kind, with(kind.image, called), Reason.DRIFT_CHANGED, object, "another's", entry.comment());

    // With an image that lacks it, what is there is surplus.
    TableImage lacks = with(kind.image, without);
    assertThat(TableCheck.ofWhole(lacks, contents(kind.image)))
        .anySatisfy(found -> {
          assertThat(found.reason()).isEqualTo(Reason.STRAY_OBJECT);
          assertThat(found.object()).isEqualTo(object);
          assertThat(found.toString()).contains("Nothing wants it", entry.comment());
        });

    // Another value: that of the next element of the same map.
    right.entrySet().stream()
        .filter(other -> other.getKey().set().equals(key.set()))
        .map(Map.Entry::getValue)
        .filter(other -> other.data().isPresent() && !other.data().equals(entry.data()))
        .findFirst()
        .ifPresent(other -> {
          NavigableMap<RangeKey, Entry> swapped = new TreeMap<>(right);
          swapped.put(key, Entry.read(entry.comment(), other.data()));
          isNamed(
              kind,
              with(kind.image, swapped),
              Reason.DRIFT_CHANGED,
              object,
              String.valueOf(other.data().get()),
              String.valueOf(entry.data().orElseThrow()));
        });
  }

  @Test
  void eachRuleThatIsMissingSurplusOrDifferentIsNamed() {
    for (Kind kind : kinds()) {
      TableImage right = kind.image;
      for (NftRule rule : right.rules()) {
        ObjectRef object =
            new ObjectRef(
                "nft rule",
                rule.family()
                    + " "
                    + rule.table()
                    + " "
                    + rule.chain()
                    + " \""
                    + rule.comment()
                    + "\"");
        TableImage without =
            withRules(
                right,
                all -> {
                  all.remove(rule);
                  return all;
                });
        assertThat(kind.says(contents(without)))
            .as("without %s", object)
            .anySatisfy(found -> assertThat(found.object()).isEqualTo(object));
        NftRule other = withMark(rule);
        TableImage different =
            withRules(
                right,
                all -> {
                  all.set(all.indexOf(rule), other);
                  return all;
                });
        isNamed(kind, different, Reason.DRIFT_CHANGED, object, "expression");
        NftRule foreign =
            new NftRule(
                rule.family(),
                rule.table(),
                rule.chain(),
                4711,
                other.expressions(),
                Userdata.NONE);
        TableImage more =
            withRules(
                right,
                all -> {
                  all.add(0, foreign);
                  return all;
                });
        isNamed(
            kind,
            more,
            Reason.STRAY_OBJECT,
            new ObjectRef("nft rule", chain(right, rule.chain()) + " handle 4711"));
      }
    }
  }

  private static NftRule withMark(NftRule rule) {
    List<Expr> expressions = new ArrayList<>(rule.expressions());
    expressions.addFirst(Expr.Immediate.load(Reg.R4, Bytes.of(1)));
    return new NftRule(
        rule.family(), rule.table(), rule.chain(), rule.handle(), expressions, rule.userdata());
  }

  private static NftChain chain(TableImage image, String name) {
    return image.chains().stream()
        .filter(chain -> chain.name().equals(name))
        .findFirst()
        .orElseThrow();
  }

  private static TableImage withRules(TableImage image, UnaryOperator<List<NftRule>> change) {
    return new TableImage(
        image.table(),
        image.chains(),
        image.sets(),
        changed(image.rules(), change),
        image.entries());
  }

  @Test
  void eachChainAndSetThatIsMissingSurplusOrDifferentIsNamed() {
    for (Kind kind : kinds()) {
      TableImage right = kind.image;
      NftTable table = right.table();
      for (NftChain chain : right.chains()) {
        List<NftChain> rest = right.chains().stream().filter(one -> one != chain).toList();
        ObjectRef object = new ObjectRef("nft chain", chain.toString());
        isNamed(kind, withChains(right, rest), Reason.DRIFT_MISSING, object);
        if (chain.base().isPresent()) {
          NftChain.Base base = chain.base().get();
          NftChain later =
              new NftChain(
                  chain.family(),
                  chain.table(),
                  chain.name(),
                  Optional.of(
                      new NftChain.Base(
                          base.type(),
                          base.hook(),
                          base.priority() + 1,
                          base.policy(),
                          base.device())),
                  chain.userdata());
          List<NftChain> moved = new ArrayList<>(rest);
          moved.add(later);
          isNamed(kind, withChains(right, moved), Reason.DRIFT_CHANGED, object, "priority");
        }
      }
      List<NftChain> more = new ArrayList<>(right.chains());
      NftChain other = NftChain.regular(table, "somebody");
      more.add(other);
      isNamed(
          kind,
          withChains(right, more),
          Reason.STRAY_OBJECT,
          new ObjectRef("nft chain", other.toString()));

      for (NftSet set : right.sets()) {
        ObjectRef object = new ObjectRef("nft set", set.toString());
        List<NftSet> rest = right.sets().stream().filter(one -> one != set).toList();
        isNamed(kind, withSets(right, rest), Reason.DRIFT_MISSING, object);
        List<NftSet> smaller = new ArrayList<>(rest);
        smaller.add(set.withSize(set.size() + 1));
        isNamed(kind, withSets(right, smaller), Reason.DRIFT_CHANGED, object, "size");
      }
      List<NftSet> sets = new ArrayList<>(right.sets());
      NftSet foreign = right.sets().getFirst();
      NftSet surplus =
          new NftSet(
              foreign.family(),
              foreign.table(),
              "somebodys",
              foreign.flags(),
              foreign.key(),
              foreign.data(),
              foreign.size(),
              foreign.timeout(),
              foreign.userdata());
      sets.add(surplus);
      isNamed(
          kind,
          withSets(right, sets),
          Reason.STRAY_OBJECT,
          new ObjectRef("nft set", surplus.toString()));
    }
  }

  private static TableImage withChains(TableImage image, List<NftChain> chains) {
    return new TableImage(image.table(), chains, image.sets(), image.rules(), image.entries());
  }

  private static TableImage withSets(TableImage image, List<NftSet> sets) {
    return new TableImage(image.table(), image.chains(), sets, image.rules(), image.entries());
  }
}
