package dev.sund.agent.drops;

import dev.sund.engine.DropStory;
import dev.sund.engine.DropStory.Party;
import dev.sund.engine.DroppedPacket;
import dev.sund.model.Family;
import dev.sund.model.Reason;
import dev.sund.model.RuleId;
import dev.sund.model.RuleId.Direction;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One dropped packet, as it is told.
 *
 * @param number counts up from 1 since the agent's start
 * @param time when the agent heard of it
 * @param packet what the kernel showed
 * @param sourcePort the sender's, 0 for protocols without
 * @param bytes the packet's length
 * @param story what it was about
 */
record DropEvent(
    long number, Instant time, DroppedPacket packet, int sourcePort, int bytes, DropStory story) {

  /** This event as number {@code newNumber}. */
  DropEvent as(long newNumber) {
    return new DropEvent(newNumber, time, packet, sourcePort, bytes, story);
  }

  /** Its fields, for JSON. */
  Map<String, Object> fields() {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("number", number);
    fields.put("time", time.toString());
    fields.put("direction", packet.direction().label());
    fields.put("reason", story.reason().map(Reason::code).orElse(""));
    fields.put("pod", party(story.pod()));
    fields.put("peer", party(story.peer()));
    packet
        .asked()
        .ifPresent(place -> {
          Map<String, Object> asked =
              party(
                  story
                      .asked()
                      .orElseGet(() ->
                          new Party(
                              DropStory.Kind.ADDRESS,
                              place.address().toString(),
                              place.address())));
          asked.put("port", place.port());
          fields.put("asked", asked);
        });
    fields.put("protocol", protocol(packet.protocol()));
    fields.put("source", packet.source().toString());
    fields.put("sourcePort", sourcePort);
    fields.put("destination", packet.destination().toString());
    fields.put("port", packet.port());
    fields.put("bytes", bytes);
    if (!packet.device().isEmpty()) {
      fields.put("device", packet.device());
    }
    fields.put("policies", names(story.isolating()));
    story.rule().ifPresent(rule -> fields.put("rule", rule(rule)));
    return fields;
  }

  /** {@code NetworkPolicy shop/deny-all}, each policy once. */
  static List<String> names(List<RuleId> rules) {
    return rules.stream().map(rule -> rule.object().toString()).distinct().toList();
  }

  private static String rule(RuleId rule) {
    return rule.object()
        + " "
        + (rule.direction() == Direction.EGRESS ? "egress" : "ingress")
        + " rule "
        + rule.index();
  }

  private static Map<String, Object> party(Party party) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("kind", party.kind().label());
    fields.put("name", party.name());
    fields.put("address", party.address().toString());
    return fields;
  }

  /** {@code tcp}; the number of one that has no name here. */
  private String protocol(int number) {
    return switch (number) {
      case 6 -> "tcp";
      case 17 -> "udp";
      case 132 -> "sctp";
      case 1 -> "icmp";
      case DroppedPacket.ARP -> "arp";
      case 58 -> packet.source().family() == Family.V6 ? "icmp" : "58";
      default -> String.valueOf(number);
    };
  }
}
