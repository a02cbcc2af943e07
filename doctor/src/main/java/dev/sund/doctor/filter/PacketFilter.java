package dev.sund.doctor.filter;

import static dev.sund.kernel.packet.Bpf.SKF_AD_OFF;
import static dev.sund.kernel.packet.Bpf.SKF_AD_VLAN_TAG_PRESENT;

import dev.sund.kernel.packet.BpfInstruction;
import java.util.List;

/**
 * A filter that was understood.
 *
 * <pre>{@code
 * PacketFilter filter = PacketFilter.parse("tcp port 80 and not host 10.0.0.1", PortNames.ofSystem());
 * List<BpfInstruction> program = filter.program(LinkForm.ETHERNET, 262_144);
 * }</pre>
 *
 * @param text as it was written; empty for one that takes everything
 * @param ports what ports are called
 */
public record PacketFilter(String text, PortNames ports) {
  /**
   * Understands an expression.
   *
   * @throws FilterSyntaxException when it is none
   */
  public static PacketFilter parse(String text, PortNames ports) throws FilterSyntaxException {
    PacketFilter filter = new PacketFilter(text.strip(), ports);
    if (filter.program(LinkForm.ETHERNET, 1).isEmpty()) {
      throw new FilterSyntaxException("it is too long for the kernel", 0);
    }
    return filter;
  }

  /**
   * The program for packets as a device shows them to us: tags of virtual LANs that it took off are
   * known apart, others stand in the packet.
   *
   * @param bytes how much of a packet is wanted, above 0
   */
  public List<BpfInstruction> program(LinkForm link, int bytes) throws FilterSyntaxException {
    Condition inPacket = condition(link, false);
    if (link == LinkForm.IP || !new FilterWords(text).has("vlan")) {
      return FilterCode.program(inPacket, bytes);
    }
    Condition takenOff = Condition.equal(Value.at(SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT, 1), 1);
    return FilterCode.program(
        takenOff.and(condition(link, true)).or(new Condition.Not(takenOff).and(inPacket)), bytes);
  }

  /** The program for packets as a file has them: every tag stands in the packet. */
  public List<BpfInstruction> programOfFiles(LinkForm link, int bytes)
      throws FilterSyntaxException {
    return FilterCode.program(condition(link, false), bytes);
  }

  private Condition condition(LinkForm link, boolean tagTakenOff) throws FilterSyntaxException {
    return text.isEmpty()
        ? new Condition.Always(true)
        : new FilterParser(new FilterWords(text), new Primitives(link, tagTakenOff), ports).whole();
  }
}
