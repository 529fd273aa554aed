package luciola.meta.access;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import luciola.grpc.v1.AccessChange;
import luciola.grpc.v1.AccessUser;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.junit.jupiter.api.Test;

class CertificateRulesTest {
  private static final String SERVERS = "1.3.6.1.5.5.7.3.1";
  private static final String CALLERS = "1.3.6.1.5.5.7.3.2";
  private static final String ANYTHING = "2.5.29.37.0";
  private static final long FROM = 1_000_000_000_000L;
  private static final long UNTIL = 2_000_000_000_000L;
  private static final long NOW = 1_500_000_000_000L;

  private static final AccessState USERS = with(with(AccessState.EMPTY, "ann", 1000), "bob", 1001);

  private static AccessState with(AccessState state, String name, int uid) {
    AccessUser user = AccessUser.newBuilder().setName(name).setUid(uid).build();
    return state.apply(AccessChange.newBuilder().setCreateUser(user).build(), 1).state();
  }

  private static ShownCertificate shown(
      Optional<String> untrusted,
      boolean authority,
      List<String> uses,
      List<String> names,
      List<String> uris) {
    return new ShownCertificate("CN=x", "1f", untrusted, FROM, UNTIL, uses, authority, names, uris);
  }

  private static ShownCertificate named(List<String> names, String... uris) {
    return shown(Optional.empty(), false, List.of(CALLERS), names, List.of(uris));
  }

  private static ShownCertificate used(String... uses) {
    return shown(Optional.empty(), false, List.of(uses), List.of("ann"), List.of());
  }

  @Test
  void itsNameIsTheUser() {
    record Row(ShownCertificate shown, String user) {}
    for (Row row :
        List.of(
            new Row(named(List.of("ann")), "ann"),
            new Row(named(List.of("bob")), "bob"),
            // A URI of ours counts for more than the common name, others count for nothing.
            new Row(named(List.of("Ann of Arc"), "luciola:user:ann"), "ann"),
            new Row(named(List.of("bob"), "luciola:user:ann"), "ann"),
            new Row(named(List.of(), "https://example.org/x", "luciola:user:bob"), "bob"),
            new Row(named(List.of("ann"), "spiffe://example.org/bob"), "ann"),
            new Row(used("1.2.3.4", CALLERS), "ann"))) {
      assertEquals(
          row.user(), CertificateRules.user(row.shown(), USERS, NOW).getName(), row.toString());
    }
  }

  private static void assertRefused(
      ShownCertificate shown, AccessState state, long now, String why) {
    var fault =
        assertThrows(LuciolaException.class, () -> CertificateRules.user(shown, state, now));
    assertEquals(ErrorCode.UNAUTHENTICATED, fault.code());
    assertTrue(fault.detail().contains(why), why + " in " + fault.detail());
    assertTrue(fault.detail().contains("serial=1f"), fault.detail());
  }

  @Test
  void whatIsNotGoodIsRefusedAndToldWhy() {
    record Row(ShownCertificate shown, String why) {}
    for (Row row :
        List.of(
            new Row(
                shown(Optional.of("no path"), false, List.of(CALLERS), List.of("ann"), List.of()),
                "no authority of users stands behind it: no path"),
            new Row(
                shown(Optional.empty(), true, List.of(CALLERS), List.of("ann"), List.of()),
                "an authority's"),
            new Row(used(), "it lacks the use clientAuth"),
            new Row(used("1.2.3.4"), "it lacks the use clientAuth"),
            new Row(used(SERVERS), "it lacks the use clientAuth"),
            new Row(used(ANYTHING), "it lacks the use clientAuth"),
            new Row(used(CALLERS, SERVERS), "a server's"),
            new Row(used(CALLERS, ANYTHING), "a server's"),
            new Row(named(List.of()), "it names no user"),
            new Row(named(List.of("ann", "bob")), "it names several users"),
            new Row(
                named(List.of("ann"), "luciola:user:ann", "luciola:user:bob"),
                "it names several users"),
            new Row(named(List.of("eve")), "there is no such user: user=eve"),
            new Row(named(List.of("ann"), "luciola:user:eve"), "there is no such user: user=eve"),
            new Row(named(List.of("ann"), "luciola:user:"), "there is no such user"),
            new Row(named(List.of("Ann")), "there is no such user"))) {
      assertRefused(row.shown(), USERS, NOW, row.why());
    }
  }

  @Test
  void itIsGoodFromItsFirstMomentToItsLast() {
    ShownCertificate ann = named(List.of("ann"));
    assertRefused(ann, USERS, FROM - 1, "not good before");
    assertEquals("ann", CertificateRules.user(ann, USERS, FROM).getName());
    assertEquals("ann", CertificateRules.user(ann, USERS, UNTIL - 1).getName());
    assertRefused(ann, USERS, UNTIL, "expired 1970-01-01T00:33:20Z");
  }

  @Test
  void whoIsRemovedIsNobody() {
    AccessState without =
        USERS.apply(AccessChange.newBuilder().setRemoveUser("ann").build(), 1).state();
    assertRefused(named(List.of("ann")), without, NOW, "there is no such user: user=ann");
  }
}
