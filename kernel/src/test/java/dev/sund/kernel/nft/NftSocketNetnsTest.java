package dev.sund.kernel.nft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.netlink.Buffers;
import dev.sund.kernel.testing.NftProgram;
import dev.sund.kernel.testing.TestNetns;
import dev.sund.model.Ip;
import dev.sund.model.Prefix;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** On a real kernel, with {@code nft} as the independent reader and writer. */
@Tag("netns")
class NftSocketNetnsTest {
  private static final NftTable TABLE = NftTable.of(NftFamily.INET, "sundt", "a table of a test");
  private static final NftChain POST =
      NftChain.base(TABLE, "post", "nat", NftChain.Hook.POSTROUTING, NftChain.PRIORITY_SRCNAT)
          .withComment("a chain");
  private static final NftChain LOAD = NftChain.regular(TABLE, "load");

  private final TestNetns net = TestNetns.open();
  private final NetNs namespace = net.create("nft");
  private final NftProgram program = new NftProgram(namespace);
  private NftSocket nft;

  @BeforeEach
  void open() throws Exception {
    nft = NftSocket.open(namespace);
  }

  @AfterEach
  void close() {
    nft.close();
    net.close();
  }

  @Test
  void whatIsWrittenIsReadBack() throws Exception {
    NftSet pools = NftSet.of(TABLE, "pools", NftType.IPV4_ADDR).ofRanges().withComment("ranges");
    List<NftElement> ranges = new ArrayList<>();
    ranges.addAll(NftElement.range(Prefix.parse("10.244.0.0/16"), "IPPool:a::none:0"));
    ranges.addAll(NftElement.range(Prefix.parse("10.245.0.0/16"), "IPPool:b::none:0"));
    ranges.addAll(NftElement.range(Prefix.parse("255.0.0.0/8"), "reaches the end"));
    NftSet pools6 = NftSet.of(TABLE, "pools6", NftType.IPV6_ADDR).ofRanges();
    List<NftElement> ranges6 = NftElement.range(Prefix.parse("fd00:10::/56"), "six");
    NftSet frontends =
        NftSet.of(TABLE, "frontends", NftType.IPV4_ADDR, NftType.INET_PROTO, NftType.INET_SERVICE)
            .to(NftType.of(NftType.MARK));
    NftElement frontend =
        NftElement.of(
                Bytes.of(Ip.parse("10.96.0.1"))
                    .plus(Bytes.of(6).padded(4))
                    .plus(Bytes.u16(80).padded(4)))
            .to(new Data.Value(Bytes.host32(0x500)))
            .withComment("Service:shop/web");
    NftSet dispatch =
        NftSet.of(TABLE, "dispatch", NftType.MARK).to(NftType.VERDICT).withComment("by count");
    NftElement go = NftElement.of(Bytes.host32(5)).to(new Data.To(new Verdict.Goto("load")));
    NftSet sources =
        NftSet.of(TABLE, "sources", NftType.IPV4_ADDR, NftType.INET_SERVICE)
            .ofRanges()
            .withTimeout(Duration.ofHours(1))
            .withSize(1000);
    NftElement source =
        NftElement.between(
                Bytes.of(Ip.parse("10.0.0.0")).plus(Bytes.u16(80).padded(4)),
                Bytes.of(Ip.parse("10.255.255.255")).plus(Bytes.u16(90).padded(4)))
            .lasting(Duration.ofMinutes(5));
    NftRule masquerade =
        NftRule.of(
            POST,
            "pods leave with the node's address",
            List.of(
                new Expr.Meta(Expr.MetaKey.NFPROTO, Reg.R1),
                new Expr.Cmp(Reg.R1, Expr.Op.EQ, Bytes.of(2)),
                new Expr.Payload(Reg.R1, Expr.Header.NETWORK, 12, 4),
                Expr.Lookup.in("pools", Reg.R1),
                new Expr.Payload(Reg.R1, Expr.Header.NETWORK, 16, 4),
                Expr.Lookup.notIn("pools", Reg.R1),
                Expr.Counter.atZero(),
                Expr.Masquerade.any()));

    commit(
        new NftOp.CreateTable(TABLE),
        new NftOp.CreateChain(POST),
        new NftOp.CreateChain(LOAD),
        new NftOp.CreateSet(pools),
        new NftOp.CreateSet(pools6),
        new NftOp.CreateSet(frontends),
        new NftOp.CreateSet(dispatch),
        new NftOp.CreateSet(sources),
        add("pools", ranges),
        add("pools6", ranges6),
        add("frontends", List.of(frontend)),
        add("dispatch", List.of(go)),
        add("sources", List.of(source)),
        new NftOp.AppendRule(masquerade));

    NftContents contents = nft.contents(NftFamily.INET, "sundt").orElseThrow();
    assertThat(contents.table()).isEqualTo(TABLE);
    assertThat(contents.chains().values()).containsExactlyInAnyOrder(POST, LOAD);
    assertThat(contents.sets().values())
        .containsExactlyInAnyOrder(pools, pools6, frontends, dispatch, sources);
    assertThat(contents.elements().get("pools")).containsExactlyInAnyOrderElementsOf(ranges);
    assertThat(contents.elements().get("pools6")).containsExactlyInAnyOrderElementsOf(ranges6);
    assertThat(contents.elements().get("frontends")).containsExactly(frontend);
    assertThat(contents.elements().get("dispatch")).containsExactly(go);
    assertThat(contents.elements().get("sources")).containsExactly(source);
    NftRule back = contents.rules().get("post").getFirst();
    assertThat(back.expressions()).isEqualTo(masquerade.expressions());
    assertThat(back.comment()).isEqualTo(masquerade.comment());
    assertThat(back.handle()).isNotZero();

    String listed = program.ruleset();
    assertThat(listed)
        .contains(
            "comment \"a table of a test\"",
            "comment \"a chain\"",
            "comment \"ranges\"",
            "10.244.0.0/16 comment \"IPPool:a::none:0\"",
            "10.245.0.0/16 comment \"IPPool:b::none:0\"",
            "255.0.0.0/8 comment \"reaches the end\"",
            "fd00:10::/56 comment \"six\"",
            "10.96.0.1 . tcp . 80 comment \"Service:shop/web\" : 0x00000500",
            "elements = { 0x00000005 : goto load }",
            "10.0.0.0/8 . 80-90 timeout 5m",
            "type nat hook postrouting priority srcnat; policy accept;",
            "ip saddr @pools ip daddr != @pools counter packets 0 bytes 0 masquerade comment"
                + " \"pods leave with the node's address\"");
    program.run("-j", "list", "ruleset");
    program.run("flush", "ruleset");
    program.load(listed);
    assertThat(withoutExpiry(program.ruleset())).isEqualTo(withoutExpiry(listed));
    assertThat(
            NftRange.join(
                nft.contents(NftFamily.INET, "sundt").orElseThrow().elements().get("pools")))
        .extracting(NftRange::toString, NftRange::comment)
        .containsExactlyElementsOf(
            NftRange.join(ranges).stream()
                .map(
                    range -> org.assertj.core.groups.Tuple.tuple(range.toString(), range.comment()))
                .toList());
  }

  /** One rule a line, each with other expressions; all that this library claims to know. */
  private static final List<String> RULES =
      List.of(
          "ip saddr @v4 ip daddr != @v4 counter masquerade comment \"a comment\"",
          "ip6 saddr fd00::/64 masquerade fully-random,persistent",
          "meta l4proto tcp masquerade to :1024-65535 random",
          "ip protocol udp ip saddr 10.0.0.0/8 udp dport 53 snat ip to 192.0.2.1:4000-5000",
          "meta nfproto ipv6 meta l4proto tcp snat ip6 to [2001:db8::1]-[2001:db8::9]",
          "meta mark set meta mark & 0xff00ff00 | 0x1 ct mark set 4",
          "meta mark set ct mark",
          "ct mark set meta mark << 8",
          "ct state new,established meta l4proto tcp tcp dport 80 accept",
          "meta l4proto tcp ct original ip daddr 10.96.0.1 ct original proto-dst 80 accept",
          "ct direction reply ct status dnat accept",
          "meta mark vmap @verdicts",
          "meta l4proto { tcp, udp } th dport 443 accept",
          "fib daddr type local accept",
          "fib daddr . mark type unicast accept",
          "log prefix \"sundt: \" level warn flags all",
          "log group 7 snaplen 64 queue-threshold 3",
          "tcp dport 8-10 accept",
          "tcp dport != 8-10 return",
          "meta mark set jhash ip saddr . udp sport mod 5 seed 0x7 offset 1280",
          "meta mark set symhash mod 3",
          "meta mark set numgen random mod 5 offset 1280",
          "meta mark set numgen inc mod 7",
          "limit rate 10/second burst 5 packets accept",
          "limit rate over 1 mbytes/minute drop",
          "iifname \"eth0\" oifname \"sund*\" goto sub",
          "meta length > 1000 ip ttl set 7",
          "ip dscp set cs1",
          "jump sub",
          "tcp flags & (syn|ack) == syn continue");

  @Test
  void rulesThatNftWroteAreReadAndWrittenAgainTheSame() throws Exception {
    program.load(ruleset("sundt", RULES));
    NftContents read = nft.contents(NftFamily.INET, "sundt").orElseThrow();
    List<NftRule> rules = read.rules().get("post");
    assertThat(rules).hasSameSizeAs(RULES);
    assertThat(rules)
        .allSatisfy(
            rule -> assertThat(rule.expressions()).noneMatch(expr -> expr instanceof Expr.Unknown));

    // Into a second table, by netlink alone. Anonymous sets belong to rules: they get names here.
    NftTable copy = new NftTable(NftFamily.INET, "copy", 0, Userdata.NONE);
    List<NftOp> ops = new ArrayList<>();
    ops.add(new NftOp.CreateTable(copy));
    for (NftSet set : read.sets().values()) {
      ops.add(
          new NftOp.CreateSet(
              new NftSet(
                  set.family(),
                  "copy",
                  named(set.name()),
                  set.flags() & ~(NftSet.ANONYMOUS | NftSet.CONSTANT),
                  set.key(),
                  set.data(),
                  set.size(),
                  set.timeout(),
                  set.userdata())));
    }
    for (NftChain chain : read.chains().values()) {
      ops.add(
          new NftOp.CreateChain(
              new NftChain(chain.family(), "copy", chain.name(), chain.base(), chain.userdata())));
    }
    read.elements()
        .forEach((set, elements) ->
            ops.add(new NftOp.AddElements(NftFamily.INET, "copy", named(set), elements, true)));
    List<NftRule> copies = new ArrayList<>();
    for (NftRule rule : rules) {
      copies.add(
          new NftRule(
              rule.family(),
              "copy",
              rule.chain(),
              0,
              rule.expressions().stream().map(NftSocketNetnsTest::named).toList(),
              rule.userdata()));
    }
    copies.forEach(rule -> ops.add(new NftOp.AppendRule(rule)));
    nft.commit(ops).orThrow();

    List<NftRule> back = nft.contents(NftFamily.INET, "copy").orElseThrow().rules().get("post");
    for (int i = 0; i < copies.size(); i++) {
      assertThat(back.get(i).doesTheSameAs(copies.get(i))).as(RULES.get(i)).isTrue();
      assertThat(back.get(i).comment()).isEqualTo(copies.get(i).comment());
    }
    String original = program.run("list", "chain", "inet", "sundt", "post");
    String again = program.run("list", "chain", "inet", "copy", "post");
    assertThat(lines(again).stream().filter(line -> !line.contains("@anonymous")).toList())
        .containsExactlyElementsOf(
            lines(original.replace("table inet sundt", "table inet copy")).stream()
                .filter(line -> !line.contains("{ tcp, udp }"))
                .toList());
  }

  @Test
  void rulesThatNoRecordKnowsKeepTheirBytes() throws Exception {
    program.load(
        ruleset(
            "sundt",
            List.of(
                "add @dyn { ip saddr timeout 5m }",
                "rt ip nexthop 10.0.0.1 accept",
                "tcp option sack-perm exists accept")));
    List<NftRule> rules = nft.rules(NftFamily.INET, "sundt");
    assertThat(rules)
        .hasSize(3)
        .allSatisfy(
            rule -> assertThat(rule.expressions()).anyMatch(expr -> expr instanceof Expr.Unknown));
    String listed = program.run("list", "chain", "inet", "sundt", "post");

    List<NftOp> ops = new ArrayList<>();
    ops.add(new NftOp.FlushChain(NftFamily.INET, "sundt", "post"));
    rules.forEach(rule -> ops.add(new NftOp.AppendRule(rule)));
    nft.commit(ops).orThrow();

    assertThat(program.run("list", "chain", "inet", "sundt", "post")).isEqualTo(listed);
  }

  @Test
  void refusedTransactionNamesEachOperationAndChangesNothing() throws Exception {
    commit(new NftOp.CreateTable(TABLE), new NftOp.CreateChain(LOAD));
    int before = nft.generation();

    Commit commit =
        nft.commit(
            List.of(
                new NftOp.CreateChain(POST),
                new NftOp.CreateTable(TABLE),
                new NftOp.DeleteChain(NftFamily.INET, "sundt", "absent"),
                add("nowhere", List.of(NftElement.of(Bytes.of(1, 2, 3, 4))))));

    assertThat(commit).isInstanceOf(Commit.Refused.class);
    List<Commit.Failure> failures = ((Commit.Refused) commit).failures();
    assertThat(failures).extracting(Commit.Failure::index).containsExactly(1, 2, 3);
    assertThat(failures.get(0).reason()).isInstanceOf(KernelException.AlreadyExists.class);
    assertThat(failures.get(1).reason()).isInstanceOf(KernelException.NotFound.class);
    assertThat(failures.get(2).reason()).isInstanceOf(KernelException.NotFound.class);
    assertThat(failures.get(1).reason())
        .hasMessageStartingWith(
            "nf_tables operation 3 of 4, delete chain inet sundt absent: NotFound (ENOENT");
    assertThat(nft.generation()).isEqualTo(before);
    assertThat(nft.chains(NftFamily.INET, "sundt")).containsExactly(LOAD);
    assertThatThrownBy(commit::orThrow)
        .isInstanceOf(KernelException.AlreadyExists.class)
        .satisfies(thrown -> assertThat(thrown.getSuppressed()).hasSize(2));
  }

  @Test
  void transactionAtAPassedGenerationChangesNothing() throws Exception {
    int generation = nft.generation();
    program.run("add", "table", "inet", "other");

    assertThat(nft.commitAt(generation, List.of(new NftOp.CreateTable(TABLE))))
        .isEqualTo(new Commit.Stale());
    assertThat(nft.table(NftFamily.INET, "sundt")).isEmpty();
    assertThat(nft.commitAt(nft.generation(), List.of(new NftOp.CreateTable(TABLE))))
        .isInstanceOf(Commit.Done.class);
    assertThat(nft.table(NftFamily.INET, "sundt")).contains(TABLE);
    assertThat(nft.tables()).hasSize(2);
  }

  @Test
  void tenThousandElementsAreOneTransaction() throws Exception {
    NftSet set = NftSet.of(TABLE, "many", NftType.IPV4_ADDR);
    List<NftElement> elements = new ArrayList<>();
    for (int i = 0; i < 10_000; i++) {
      elements.add(NftElement.of(Bytes.u32(0x0a000000 + i)).withComment("element number " + i));
    }
    commit(new NftOp.CreateTable(TABLE), new NftOp.CreateSet(set), add("many", elements));

    assertThat(nft.elements(NftFamily.INET, "sundt", "many"))
        .containsExactlyInAnyOrderElementsOf(elements);
    commit(new NftOp.DeleteElements(NftFamily.INET, "sundt", "many", elements.subList(1, 10_000)));
    assertThat(nft.elements(NftFamily.INET, "sundt", "many")).containsExactly(elements.get(0));
    commit(new NftOp.FlushSet(NftFamily.INET, "sundt", "many"));
    assertThat(nft.elements(NftFamily.INET, "sundt", "many")).isEmpty();
  }

  @Test
  void elementIsReplacedInOneTransaction() throws Exception {
    NftSet set = NftSet.of(TABLE, "ranges", NftType.IPV4_ADDR).ofRanges();
    List<NftElement> before = NftElement.range(Prefix.parse("10.0.0.0/8"), "before");
    List<NftElement> after = NftElement.range(Prefix.parse("10.0.0.0/8"), "after");
    commit(new NftOp.CreateTable(TABLE), new NftOp.CreateSet(set), add("ranges", before));

    commit(
        new NftOp.DeleteElements(NftFamily.INET, "sundt", "ranges", before), add("ranges", after));

    assertThat(nft.elements(NftFamily.INET, "sundt", "ranges"))
        .containsExactlyInAnyOrderElementsOf(after);
  }

  @Test
  void rulesAreInsertedReplacedAndDeletedByTheirHandles() throws Exception {
    commit(
        new NftOp.CreateTable(TABLE),
        new NftOp.CreateChain(LOAD),
        new NftOp.AppendRule(verdict(Verdict.ACCEPT)),
        new NftOp.AppendRule(verdict(Verdict.DROP)));
    List<NftRule> rules = nft.rules(NftFamily.INET, "sundt");

    commit(
        new NftOp.InsertRule(verdict(Verdict.RETURN), rules.get(1).handle()),
        new NftOp.InsertRule(verdict(Verdict.CONTINUE), 0),
        new NftOp.ReplaceRule(verdict(Verdict.RETURN), rules.get(0).handle()),
        new NftOp.DeleteRule(NftFamily.INET, "sundt", "load", rules.get(1).handle()));

    assertThat(nft.rules(NftFamily.INET, "sundt"))
        .extracting(NftRule::toString)
        .containsExactly("continue", "return", "return");
    commit(new NftOp.DeleteTable(NftFamily.INET, "sundt"));
    assertThat(nft.contents(NftFamily.INET, "sundt")).isEmpty();
  }

  @Test
  void eventsTellWhatChangedAndWhoChangedIt() throws Exception {
    List<NftEvent> events = new ArrayList<>();
    List<String> resyncs = new ArrayList<>();
    NftMonitor.Sink sink = into(events, resyncs);
    try (NftMonitor monitor = NftMonitor.open(namespace)) {
      program.load("table inet sundt {\n set s { type ipv4_addr; elements = { 1.2.3.4 }\n }\n}\n");
      while (monitor.poll(sink)) {}

      assertThat(resyncs).isEmpty();
      assertThat(events).hasSize(4);
      assertThat(events.get(0))
          .isEqualTo(
              new NftEvent.TableChanged(
                  new NftTable(NftFamily.INET, "sundt", 0, Userdata.NONE), false));
      assertThat(events.get(1)).isInstanceOf(NftEvent.SetChanged.class);
      assertThat(events.get(2))
          .isEqualTo(
              new NftEvent.ElementsChanged(
                  NftFamily.INET,
                  "sundt",
                  "s",
                  List.of(NftElement.of(Bytes.of(1, 2, 3, 4))),
                  false));
      assertThat(events.get(3))
          .isInstanceOfSatisfying(
              NftEvent.Committed.class,
              committed -> {
                assertThat(committed.generation().program()).isEqualTo("nft");
                assertThat(committed.generation().process()).isPositive();
              });
      events.clear();
      program.run("flush", "ruleset");
      while (monitor.poll(sink)) {}
      assertThat(events)
          .anyMatch(event -> event instanceof NftEvent.TableChanged(var table, var gone) && gone);
    }
  }

  @Test
  void changesOfOtherTablesArePassedOver() throws Exception {
    List<NftEvent> events = new ArrayList<>();
    List<String> resyncs = new ArrayList<>();
    NftMonitor.Sink sink = into(events, resyncs);
    try (NftMonitor monitor = NftMonitor.openFor(namespace, NftFamily.INET, "sundt")) {
      program.load("table ip sundt {\n chain c {\n accept\n }\n}\n");
      program.load("table inet other {\n set s { type ipv4_addr; elements = { 1.2.3.4 }\n }\n}\n");
      program.load("table inet sundt {\n chain c {\n accept\n }\n}\n");
      while (monitor.poll(sink)) {}
    }

    assertThat(resyncs).isEmpty();
    assertThat(events).filteredOn(event -> event instanceof NftEvent.Committed).hasSize(3);
    assertThat(events).hasSize(6);
    assertThat(events.get(3)).isInstanceOf(NftEvent.ChainChanged.class);
    assertThat(events.get(4)).isInstanceOf(NftEvent.RuleChanged.class);
  }

  @Test
  void whatOwnSocketsChangeIsNotTold() throws Exception {
    List<NftEvent> events = new ArrayList<>();
    List<String> resyncs = new ArrayList<>();
    NftMonitor.Sink sink = into(events, resyncs);
    try (NftMonitor monitor =
        NftMonitor.openFor(
            namespace,
            Set.of(NftFamily.INET),
            Set.of("sundt"),
            _ -> false,
            port -> port == nft.port())) {
      commit(new NftOp.CreateTable(NftTable.of(NftFamily.INET, "sundt", "")));
      while (monitor.poll(sink)) {}
      assertThat(events).isEmpty();

      program.load("table inet sundt {\n chain c {\n accept\n }\n}\n");
      while (monitor.poll(sink)) {}
    }

    assertThat(resyncs).isEmpty();
    assertThat(events).hasSize(3);
    assertThat(events.getLast()).isInstanceOf(NftEvent.Committed.class);
  }

  @Test
  void tooManyEventsAreAResync() throws Exception {
    List<String> resyncs = new ArrayList<>();
    NftMonitor.Sink sink = into(new ArrayList<>(), resyncs);
    try (NftMonitor monitor = NftMonitor.open(namespace, Buffers.SMALL)) {
      NftSet set = NftSet.of(TABLE, "many", NftType.IPV4_ADDR);
      List<NftElement> elements = new ArrayList<>();
      for (int i = 0; i < 20_000; i++) {
        elements.add(NftElement.of(Bytes.u32(0x0a000000 + i)));
      }
      commit(new NftOp.CreateTable(TABLE), new NftOp.CreateSet(set), add("many", elements));
      while (monitor.poll(sink)) {}
    }
    assertThat(resyncs).isNotEmpty();
  }

  @Test
  void tableStaysWhenItsMakerIsGone() throws Exception {
    try (NftSocket maker = NftSocket.open(namespace)) {
      maker.commit(List.of(new NftOp.CreateTable(TABLE))).orThrow();
    }
    assertThat(nft.table(NftFamily.INET, "sundt")).contains(TABLE);
  }

  private static NftRule verdict(Verdict verdict) {
    return NftRule.of(LOAD, "", List.of(Expr.Immediate.verdict(verdict)));
  }

  private static String ruleset(String table, List<String> rules) {
    return "table inet "
        + table
        + " {\n"
        + " set v4 {\n type ipv4_addr\n flags interval\n elements = { 10.0.0.0/8 }\n }\n"
        + " set dyn {\n type ipv4_addr\n flags dynamic,timeout\n size 100\n }\n"
        + " chain sub {\n }\n"
        + " map verdicts {\n type mark : verdict\n elements = { 5 : goto sub, 6 : drop }\n }\n"
        + " chain post {\n type nat hook postrouting priority srcnat;\n"
        + String.join("\n", rules)
        + "\n }\n}\n";
  }

  private static String named(String set) {
    return set.startsWith("__") ? "anonymous" + set.substring(2) : set;
  }

  private static Expr named(Expr expr) {
    return expr instanceof Expr.Lookup(var set, var from, var into, var inverted)
        ? new Expr.Lookup(named(set), from, into, inverted)
        : expr;
  }

  private static List<String> lines(String text) {
    return text.lines().map(String::strip).toList();
  }

  private static String withoutExpiry(String listed) {
    return listed.replaceAll(" expires [0-9dhms]+", "");
  }

  private static NftMonitor.Sink into(List<NftEvent> events, List<String> resyncs) {
    return new NftMonitor.Sink() {
      @Override
      public void event(NftEvent event) {
        events.add(event);
      }

      @Override
      public void resync(String why) {
        resyncs.add(why);
      }
    };
  }

  private void commit(NftOp... ops) throws KernelException {
    nft.commit(List.of(ops)).orThrow();
  }

  private static NftOp add(String set, List<NftElement> elements) {
    return new NftOp.AddElements(NftFamily.INET, "sundt", set, elements, true);
  }
}
