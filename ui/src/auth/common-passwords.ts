/**
 * The head of the usual lists of leaked passwords, to say so while typing. The server has the longer list and
 * decides.
 */
export const common: ReadonlySet<string> = new Set(
  `password passw0rd password1 password12 password123 password1234 password123456 12345678 123456789 1234567890
   87654321 987654321 0123456789 11111111 00000000 88888888 12341234 11223344 123123123 147258369 qwertyui
   qwertyuiop qwerty qwerty12 qwerty123 qwerty1234 1q2w3e4r 1q2w3e4r5t 1qaz2wsx zaq12wsx q1w2e3r4 asdfghjk
   asdfghjkl zxcvbnm abcd1234 abc12345 abcdefgh abc123 iloveyou iloveyou1 sunshine princess football baseball
   superman batman starwars pokemon dragon monkey shadow master welcome welcome1 letmein letmein1 trustno1
   whatever computer internet michael jennifer jessica charlie freedom jordan23 hunter2 hunter liverpool chelsea
   arsenal samsung google facebook minecraft changeme changeit default secret secret123 admin admin123
   administrator root toor rootroot testtest test1234 testing guest guest123 login access master123 passpass
   passphrase correcthorsebatterystaple studio mcpstudio database postgres mysql sqlserver server summer winter
   spring autumn summer2024 summer2025 winter2024 winter2025 monday friday september october november december
   cheese chocolate butterfly flower family forever mustang corvette ferrari mercedes killer pepper ginger
   cookie buster soccer hockey basketball thunder diamond silver golden purple orange yellow`
    .split(/\s+/)
    .filter(Boolean),
);
