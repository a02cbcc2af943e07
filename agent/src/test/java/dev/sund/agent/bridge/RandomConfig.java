package dev.sund.agent.bridge;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Configurations of the plugin bridge, mostly good ones. */
final class RandomConfig {
  private final Random random;
  private final String name;
  private final String bridge;
  private final int number;

  RandomConfig(Random random, String name, String bridge) {
    this.random = random;
    this.name = name;
    this.bridge = bridge;
    this.number = random.nextInt(200);
  }

  String text() {
    List<String> keys = new ArrayList<>();
    keys.add("\"cniVersion\":\"" + pick("0.1.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0") + "\"");
    keys.add("\"name\":\"" + name + "\"");
    keys.add("\"type\":\"bridge\"");
    boolean gateway = false;
    for (String flag : List.of("isGateway", "isDefaultGateway", "hairpinMode", "forceAddress")) {
      if (random.nextBoolean()) {
        boolean on = random.nextBoolean();
        keys.add("\"" + flag + "\":" + on);
        gateway |= on && flag.startsWith("is");
      }
    }
    if (gateway || random.nextBoolean()) {
      // A bridge without addresses forgets its own hardware address with its last port; the
      // reference then writes back zeros, and fails. So those with a gateway are bridges apart.
      keys.add("\"bridge\":\"" + bridge + (gateway ? "g" : "") + "\"");
    }
    if (random.nextInt(6) == 0) {
      keys.add("\"promiscMode\":true");
    }
    if (random.nextInt(3) == 0) {
      keys.add("\"mtu\":" + pick("0", "1300", "1400", "1450", "9000"));
    }
    if (random.nextInt(6) == 0) {
      keys.add("\"vlan\":0,\"preserveDefaultVlan\":true");
    }
    if (random.nextInt(5) == 0) {
      keys.add("\"dns\":{\"nameservers\":[\"192.0.2.53\"],\"search\":[\"a.example\"]}");
    }
    if (random.nextInt(6) == 0) {
      keys.add("\"args\":{\"cni\":{\"mac\":\"02:00:00:00:00:0" + random.nextInt(1, 9) + "\"}}");
    }
    if (random.nextInt(10) > 0) {
      keys.add("\"ipam\":{" + String.join(",", ipam()) + "}");
    }
    return "{" + String.join(",", keys) + "}";
  }

  private List<String> ipam() {
    List<String> keys = new ArrayList<>();
    keys.add("\"type\":\"host-local\"");
    keys.add("\"dataDir\":\"DATADIR\"");
    boolean v6 = random.nextBoolean();
    boolean v4 = !v6 || random.nextBoolean();
    if (v4 && !v6 && random.nextBoolean()) {
      keys.add("\"subnet\":\"10." + number + ".0.0/" + random.nextInt(16, 30) + "\"");
    } else {
      List<String> sets = new ArrayList<>();
      if (v4) {
        sets.add(
            "[{\"subnet\":\"10." + number + ".0.0/24\"" + range("10." + number + ".0.") + "}]");
      }
      if (v6) {
        sets.add(
            "[{\"subnet\":\"fd00:" + number + "::/64\"" + range("fd00:" + number + "::") + "}]");
      }
      keys.add("\"ranges\":[" + String.join(",", sets) + "]");
    }
    List<String> routes = new ArrayList<>();
    if (v4 && random.nextBoolean()) {
      routes.add("{\"dst\":\"" + pick("0.0.0.0/0", "192.0.2.0/24", "10.255.0.0/16") + "\"}");
    }
    if (v4 && random.nextInt(4) == 0) {
      routes.add("{\"dst\":\"198.51.100.0/24\",\"gw\":\"10." + number + ".0.1\"}");
    }
    if (v6 && random.nextBoolean()) {
      routes.add("{\"dst\":\"" + pick("::/0", "2001:db8::/32") + "\"}");
    }
    if (!routes.isEmpty()) {
      keys.add("\"routes\":[" + String.join(",", routes) + "]");
    }
    return keys;
  }

  private String range(String start) {
    String text = "";
    if (random.nextInt(3) == 0) {
      text += ",\"rangeStart\":\"" + start + "10\"";
    }
    if (random.nextInt(3) == 0) {
      text += ",\"rangeEnd\":\"" + start + "12\"";
    }
    if (random.nextInt(3) == 0) {
      text += ",\"gateway\":\"" + start + pick("1", "11", "99") + "\"";
    }
    return text;
  }

  private String pick(String... words) {
    return words[random.nextInt(words.length)];
  }
}
