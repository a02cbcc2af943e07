package dev.sund.kernel.nft;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.kernel.KernelException;
import dev.sund.model.Ip;
import dev.sund.model.Prefix;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** On a real kernel, with {@code nft} as the independent reader and writer. */
@Tag("netns")
class NftSocketTest {
  private static final NftTable TABLE = NftTable.of(NftFamily.INET, "sundt", "a table of a test");
  private static final NftChain POST =
      NftChain.base(TABLE, "post", "nat", NftChain.Hook.POSTROUTING, NftChain.PRIORITY_SRCNAT)
          .withComment("a chain");
  private static final NftChain LOAD = NftChain.regular(TABLE, "load");

  private NftNamespace host;
  private NftSocket nft;

  @BeforeEach
  void open() throws Exception {
    host = new NftNamespace();
    nft = NftSocket.open(host.namespace());
  }

  @AfterEach
  void close() throws Exception {
    nft.close();
    host.close();
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

    String listed = host.nft("list", "ruleset");
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
    host.nft("-j", "list", "ruleset");
    host.nft("flush", "ruleset");
    host.load(listed);
    assertThat(withoutExpiry(host.nft("list", "ruleset"))).isEqualTo(withoutExpiry(listed));
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

  private static String withoutExpiry(String listed) {
    return listed.replaceAll(" expires [0-9dhms]+", "");
  }

  private void commit(NftOp... ops) throws KernelException {
    nft.commit(List.of(ops)).orThrow();
  }

  private static NftOp add(String set, List<NftElement> elements) {
    return new NftOp.AddElements(NftFamily.INET, "sundt", set, elements, true);
  }
}
