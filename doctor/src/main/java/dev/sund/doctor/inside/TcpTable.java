package dev.sund.doctor.inside;

import dev.sund.doctor.LineText;
import dev.sund.model.Ip;
import java.nio.ByteOrder;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * {@code /proc/net/tcp} and {@code tcp6}: connections whose beginning nobody answers, and sockets
 * that listen with what waits at them.
 */
final class TcpTable {
  private static final String SYN_SENT = "02";
  private static final String LISTEN = "0A";

  /** Where a line has the remote address, the state, the two queues, and how often it was sent. */
  private static final int REMOTE = 2;

  private static final int STATE = 3;
  private static final int QUEUES = 4;
  private static final int TRIES = 6;

  private TcpTable() {}

  static void write(String table, LineText out) {
    Map<String, long[]> waiting = new LinkedHashMap<>();
    for (String line : table.lines().skip(1).toList()) {
      List<String> words = List.of(line.strip().split("\\s+"));
      if (words.size() <= TRIES) {
        continue;
      }
      // Of a connection that began just now nobody knows yet: it has not been sent again.
      if (words.get(STATE).equals(SYN_SENT) && Long.parseLong(words.get(TRIES), 16) > 0) {
        long[] counts = waiting.computeIfAbsent(words.get(REMOTE), _ -> new long[2]);
        counts[0]++;
        counts[1] = Math.max(counts[1], Long.parseLong(words.get(TRIES), 16));
      } else if (words.get(STATE).equals(LISTEN)) {
        String[] queues = words.get(QUEUES).split(":");
        out.word("listens", place(words.get(1)))
            .word("waiting", queues.length < 2 ? 0 : Long.parseLong(queues[1], 16))
            .end();
      }
    }
    waiting.forEach((remote, counts) ->
        out.word("waiting-for", place(remote))
            .word("address", address(remote))
            .word("connections", counts[0])
            .word("tries", counts[1])
            .end());
  }

  private static String place(String hex) {
    Ip ip = address(hex);
    int port = Integer.parseInt(hex.substring(hex.indexOf(':') + 1), 16);
    return (ip.toString().contains(":") ? "[" + ip + "]" : ip.toString()) + ":" + port;
  }

  /** Words of 32 bits, each in the machine's own order of bytes. IPv4 in IPv6 is IPv4. */
  private static Ip address(String hex) {
    String text = hex.substring(0, hex.indexOf(':'));
    byte[] bytes = new byte[text.length() / 2];
    boolean little = ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN;
    for (int i = 0; i < bytes.length; i++) {
      int at = little ? (i & ~3) + 3 - (i & 3) : i;
      bytes[i] = (byte) Integer.parseInt(text.substring(2 * at, 2 * at + 2), 16);
    }
    if (text.startsWith("0000000000000000") && bytes.length == 16 && isMapped(bytes)) {
      return Ip.of(new byte[] {bytes[12], bytes[13], bytes[14], bytes[15]});
    }
    return Ip.of(bytes);
  }

  private static boolean isMapped(byte[] bytes) {
    return (bytes[8] | bytes[9]) == 0 && bytes[10] == (byte) 0xff && bytes[11] == (byte) 0xff;
  }
}
