package dev.sund.doctor.live;

import dev.sund.doctor.LineText;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.netlink.NlReader;
import dev.sund.kernel.nft.Data;
import dev.sund.kernel.nft.Expr;
import dev.sund.kernel.nft.NftChain;
import dev.sund.kernel.nft.NftRule;
import dev.sund.kernel.nft.NftSocket;
import dev.sund.kernel.nft.NftTable;
import dev.sund.kernel.nft.Verdict;
import dev.sund.kernel.xtables.FilterSocket;
import dev.sund.kernel.xtables.XtChain;
import dev.sund.model.Family;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The chains of all tables. Where the kernel calls one, what its first rules do is told in order:
 * {@code jump:CHAIN}, {@code accept}, {@code masquerade} ..., with a {@code !} behind when the rule
 * is about all packets. Chains whose names differ by a hash only are counted together.
 */
final class RuleFacts {
  /** Of a chain that the kernel calls, so many rules are told. */
  private static final int TOLD = 100;

  /** {@code KUBE-SVC-4SW47YFZTEDKD3PK}, {@code service-ULMVA6XW-default/web/tcp/http}. */
  private static final Pattern HASHED =
      Pattern.compile("(.*-)[A-Z2-7]{16}|([a-z]+-)[A-Z2-7]{8}-.*");

  private static final List<String> TABLES = List.of("filter", "nat", "mangle", "raw", "security");
  private static final List<String> HOOKS =
      List.of("prerouting", "input", "forward", "output", "postrouting", "ingress");

  private RuleFacts() {}

  static String of(NetNs node) throws KernelException {
    LineText text = new LineText();
    try (NftSocket nft = NftSocket.open(node)) {
      modern(nft, text);
    } catch (KernelException.Unsupported _) {
      // A kernel without nf_tables has only the older interface.
    }
    for (Family family : Family.values()) {
      for (String table : TABLES) {
        try (FilterSocket socket = FilterSocket.open(node, family, table)) {
          socket
              .read()
              .ifPresent(
                  read -> older(family == Family.V4 ? "ip" : "ip6", table, read.listing(), text));
        }
      }
    }
    return text.toString();
  }

  /** What a chain, or several whose names differ by a hash, hold. */
  private static final class Group {
    private int chains;
    private int rules;
    private int masquerades;
    private int translations;

    void add(List<String> acts) {
      chains++;
      rules += acts.size();
      for (String act : acts) {
        masquerades += act.startsWith("masquerade") || act.startsWith("snat") ? 1 : 0;
        translations += act.startsWith("dnat") || act.startsWith("redirect") ? 1 : 0;
      }
    }

    void write(LineText text) {
      text.word("rules", rules);
      if (masquerades > 0) {
        text.word("masquerades", masquerades);
      }
      if (translations > 0) {
        text.word("translations", translations);
      }
    }
  }

  private static void modern(NftSocket nft, LineText text) throws KernelException {
    List<NftChain> all = nft.chains();
    for (NftTable table : nft.tables()) {
      Map<String, List<String>> acts = new HashMap<>();
      for (NftRule rule : nft.rules(table.family(), table.name())) {
        acts.computeIfAbsent(rule.chain(), _ -> new ArrayList<>()).add(act(rule));
      }
      boolean isEmpty = true;
      Map<String, Group> groups = new TreeMap<>();
      for (NftChain chain : all) {
        if (chain.family() != table.family() || !chain.table().equals(table.name())) {
          continue;
        }
        isEmpty = false;
        List<String> own = acts.getOrDefault(chain.name(), List.of());
        Matcher hashed = HASHED.matcher(chain.name());
        if (chain.base().isEmpty() && hashed.matches()) {
          String prefix = hashed.group(1) == null ? hashed.group(2) : hashed.group(1);
          groups.computeIfAbsent(prefix, _ -> new Group()).add(own);
          continue;
        }
        place("nft", table.family().toString(), table.name(), text).word("chain", chain.name());
        Group alone = new Group();
        alone.add(own);
        alone.write(text);
        chain
            .base()
            .ifPresent(base ->
                base(
                    base.type(),
                    base.hook(),
                    base.priority(),
                    base.policy().equals(Verdict.DROP),
                    own,
                    text));
        text.end();
      }
      groups.forEach((prefix, group) -> {
        place("nft", table.family().toString(), table.name(), text)
            .word("group", prefix)
            .word("chains", group.chains);
        group.write(text);
        text.end();
      });
      if (isEmpty) {
        place("nft", table.family().toString(), table.name(), text).end();
      }
    }
  }

  private static void older(String family, String table, List<XtChain> chains, LineText text) {
    Map<String, Group> groups = new TreeMap<>();
    for (XtChain chain : chains) {
      List<String> acts = new ArrayList<>();
      for (XtChain.Act act : chain.rules()) {
        String does = act.jump().map(to -> "jump:" + to).orElse(word(act.target()));
        acts.add(act.all() ? does + "!" : does);
      }
      Matcher hashed = HASHED.matcher(chain.name());
      if (chain.hook().isEmpty() && hashed.matches()) {
        groups.computeIfAbsent(hashed.group(1), _ -> new Group()).add(acts);
        continue;
      }
      place("legacy", family, table, text).word("chain", chain.name());
      Group alone = new Group();
      alone.add(acts);
      alone.write(text);
      if (chain.hook().isPresent()) {
        base(table, chain.hook().getAsInt(), 0, chain.drops(), acts, text);
      }
      text.end();
    }
    groups.forEach((prefix, group) -> {
      place("legacy", family, table, text).word("group", prefix).word("chains", group.chains);
      group.write(text);
      text.end();
    });
  }

  private static LineText place(String tool, String family, String table, LineText text) {
    return text.word("tool", tool).word("family", family).word("table", table);
  }

  private static void base(
      String type, int hook, int priority, boolean drops, List<String> acts, LineText text) {
    text.word("type", type)
        .word("hook", hook >= 0 && hook < HOOKS.size() ? HOOKS.get(hook) : "hook" + hook)
        .word("priority", priority)
        .word("policy", drops ? "drop" : "accept")
        .list("acts", acts.subList(0, Math.min(TOLD, acts.size())));
  }

  /** What the last expression of a rule does, and whether nothing stands before it. */
  private static String act(NftRule rule) throws KernelException {
    boolean all = true;
    String act = "other";
    for (Expr expr : rule.expressions()) {
      switch (expr) {
        case Expr.Counter _ -> {}
        case Expr.Log _ -> {}
        case Expr.Immediate(var _, Data.To(Verdict verdict)) ->
            act =
                switch (verdict) {
                  case Verdict.Jump(String chain) -> "jump:" + chain;
                  case Verdict.Goto(String chain) -> "jump:" + chain;
                  case Verdict.Plain plain -> plain.toString().replace(' ', '-');
                };
        case Expr.Immediate _ -> {}
        case Expr.Masquerade _ -> act = "masquerade";
        case Expr.Nat nat -> act = nat.destination() ? "dnat" : "snat";
        case Expr.Reject _ -> act = "reject";
        case Expr.Lookup lookup -> {
          all = false;
          act =
              lookup.into().filter(into -> into.equals(dev.sund.kernel.nft.Reg.VERDICT)).isPresent()
                  ? "map"
                  : act;
        }
        case Expr.Unknown(String name, var attributes) when name.equals("target") ->
            act = word(target(attributes.toArray()));
        case Expr.Unknown(String name, var _) when name.equals("redir") -> act = "redirect";
        case Expr other -> all &= !isCondition(other);
      }
    }
    return all ? act + "!" : act;
  }

  private static boolean isCondition(Expr expr) {
    return !(expr instanceof Expr.CountAt || expr instanceof Expr.MetaSet);
  }

  /** The name of a target of iptables (NFTA_TARGET_NAME). */
  private static String target(byte[] attributes) throws KernelException {
    NlReader in = new NlReader(attributes);
    while (in.next()) {
      if (in.type() == 1) {
        return in.string();
      }
    }
    return "";
  }

  private static String word(String target) {
    return target.isEmpty() ? "other" : target.toLowerCase(Locale.ROOT);
  }
}
