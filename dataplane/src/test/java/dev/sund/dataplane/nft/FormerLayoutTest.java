package dev.sund.dataplane.nft;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.dataplane.Driver.Step;
import dev.sund.dataplane.FailPoint;
import dev.sund.engine.program.Endpoint;
import dev.sund.engine.program.Frontend;
import dev.sund.engine.program.Frontend.Action;
import dev.sund.engine.program.Frontend.MasqueradeClass;
import dev.sund.engine.program.Frontend.Place;
import dev.sund.engine.program.PacketProgram;
import dev.sund.kernel.nft.Bytes;
import dev.sund.kernel.nft.Data;
import dev.sund.kernel.nft.NftChain;
import dev.sund.kernel.nft.NftElement;
import dev.sund.kernel.nft.NftOp;
import dev.sund.kernel.nft.NftSet;
import dev.sund.kernel.nft.NftTable;
import dev.sund.kernel.nft.NftType;
import dev.sund.kernel.nft.Verdict;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.Protocol;
import java.util.List;
import org.junit.jupiter.api.Test;

/** An agent that finds the table of one that knew host ports and no Services. */
class FormerLayoutTest {
  private final FakeNft kernel = new FakeNft();
  private final NftDriver driver = new NftDriver(kernel, FailPoint.NONE);
  private final NftTable table = MasqueradeLowering.TABLE;

  @Test
  void hostPortsAnswerThroughTheUpgradeBeforeAnythingIsKnown() throws Exception {
    Frontend.Key key = new Frontend.Key(new Place.AnyLocal(Family.V4), Protocol.TCP, 8080);
    Bytes place = FrontendKeys.frontend(key);
    String comment = "Pod:shop/web:uid:none:0";
    NftSet dispatch = NftSet.of(table, "dispatch", NftType.MARK).to(NftType.VERDICT);
    kernel.meddle(
        new NftOp.CreateTable(table),
        new NftOp.CreateChain(NftChain.regular(table, "lb-node-v4-1-masq")),
        new NftOp.CreateSet(dispatch),
        new NftOp.CreateSet(set("frontends-node-v4")),
        new NftOp.CreateSet(set("endpoints-node-v4")),
        add("frontends-node-v4", place, new Data.Value(FrontendKeys.mark(0x53761001)), comment),
        add(
            "endpoints-node-v4",
            place.plus(Bytes.host32(0x53761000)),
            new Data.Value(FrontendKeys.address(Ip.parse("10.244.1.5"), 80)),
            comment),
        add(
            "dispatch",
            Bytes.host32(0x53761001),
            new Data.To(new Verdict.Goto("lb-node-v4-1-masq")),
            "1 endpoint"));

    driver.resync();
    assertThat(driver.apply(Step.PUT, 100).failed()).isEmpty();

    PacketProgram nothing = PacketProgram.empty(new NodeName("n1"));
    FrontendLift.Rows rows = FrontendLift.read(kernel.contents(), nothing);
    assertThat(rows.frontends().get(key).inside())
        .isEqualTo(new Frontend.Answer(new Action.Balance(1), MasqueradeClass.ALWAYS));
    assertThat(rows.endpoints().get(new Endpoint.Key(key, 0)).address())
        .isEqualTo(Ip.parse("10.244.1.5"));
    assertThat(kernel.committed).as("in one transaction").hasSize(1);
    driver.allowSweep();
    driver.apply(Step.REMOVE, 100);
    assertThat(driver.verify()).isEmpty();
    assertThat(FrontendLift.read(kernel.contents(), nothing).frontends()).isEmpty();
  }

  private static NftSet set(String name) {
    return FrontendLowering.sets().stream()
        .filter(set -> set.name().equals(name))
        .findFirst()
        .orElseThrow();
  }

  private NftOp add(String set, Bytes key, Data value, String comment) {
    return new NftOp.AddElements(
        table.family(),
        table.name(),
        set,
        List.of(NftElement.of(key).to(value).withComment(comment)),
        true);
  }
}
