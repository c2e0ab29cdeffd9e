//! The regions that everyone knows (design, Values: settings add to them).

/// A region of the built-in table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// Its id.
    pub id: &'static str,
    /// The two letters of its city, which ids carry: `hz`.
    pub letters: &'static str,
    /// Its name in Chinese.
    pub chinese: &'static str,
    /// Its name in English.
    pub english: &'static str,
    /// Its name in Japanese.
    pub japanese: &'static str,
}

const fn region(
    id: &'static str,
    letters: &'static str,
    chinese: &'static str,
    english: &'static str,
    japanese: &'static str,
) -> Region {
    Region {
        id,
        letters,
        chinese,
        english,
        japanese,
    }
}

/// The public regions.
#[rustfmt::skip] // a table
pub const REGIONS: &[Region] = &[
    region("cn-qingdao", "qd", "华北1（青岛）", "China (Qingdao)", "中国（青島）"),
    region("cn-beijing", "bj", "华北2（北京）", "China (Beijing)", "中国（北京）"),
    region("cn-zhangjiakou", "zj", "华北3（张家口）", "China (Zhangjiakou)", "中国（張家口）"),
    region("cn-huhehaote", "hh", "华北5（呼和浩特）", "China (Hohhot)", "中国（フフホト）"),
    region("cn-wulanchabu", "wl", "华北6（乌兰察布）", "China (Ulanqab)", "中国（ウランチャブ）"),
    region("cn-hangzhou", "hz", "华东1（杭州）", "China (Hangzhou)", "中国（杭州）"),
    region("cn-shanghai", "sh", "华东2（上海）", "China (Shanghai)", "中国（上海）"),
    region("cn-nanjing", "nj", "华东5 （南京-本地地域）", "China (Nanjing - Local Region)", "中国（南京）"),
    region("cn-fuzhou", "fz", "华东6（福州-本地地域）", "China (Fuzhou - Local Region)", "中国（福州）"),
    region("cn-shenzhen", "sz", "华南1（深圳）", "China (Shenzhen)", "中国（深セン）"),
    region("cn-heyuan", "hy", "华南2（河源）", "China (Heyuan)", "中国（河源）"),
    region("cn-guangzhou", "gz", "华南3（广州）", "China (Guangzhou)", "中国（広州）"),
    region("cn-wuhan-lr", "wh", "华中1（武汉-本地地域）", "China (Wuhan - Local Region)", "中国（武漢）"),
    region("cn-chengdu", "cd", "西南1（成都）", "China (Chengdu)", "中国（成都）"),
    region("cn-hongkong", "hk", "中国香港", "China (Hong Kong)", "中国（香港）"),
    region("ap-northeast-1", "t4", "日本（东京）", "Japan (Tokyo)", "日本（東京）"),
    region("ap-northeast-2", "sl", "韩国（首尔）", "South Korea (Seoul)", "韓国（ソウル）"),
    region("ap-southeast-1", "sg", "新加坡", "Singapore", "シンガポール"),
    region("ap-southeast-3", "kl", "马来西亚（吉隆坡）", "Malaysia (Kuala Lumpur)", "マレーシア（クアラルンプール）"),
    region("ap-southeast-5", "jk", "印度尼西亚（雅加达）", "Indonesia (Jakarta)", "インドネシア（ジャカルタ）"),
    region("ap-southeast-6", "mn", "菲律宾（马尼拉）", "Philippines (Manila)", "フィリピン（マニラ）"),
    region("ap-southeast-7", "bk", "泰国（曼谷）", "Thailand (Bangkok)", "タイ（バンコク）"),
    region("us-east-1", "va", "美国（弗吉尼亚）", "US (Virginia)", "米国（バージニア）"),
    region("us-west-1", "sv", "美国（硅谷）", "US (Silicon Valley)", "米国（シリコンバレー）"),
    region("eu-west-1", "ld", "英国（伦敦）", "UK (London)", "英国（ロンドン）"),
    region("eu-central-1", "fr", "德国（法兰克福）", "Germany (Frankfurt)", "ドイツ（フランクフルト）"),
    region("me-east-1", "db", "阿联酋（迪拜）", "UAE (Dubai)", "アラブ首長国連邦（ドバイ）"),
    region("me-central-1", "ry", "沙特（利雅得）", "SAU (Riyadh - Partner Region)", "サウジアラビア（リヤド）"),
];

/// The region of that id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Region> {
    REGIONS.iter().find(|region| region.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_region_has_letters_of_its_own() {
        for region in REGIONS {
            assert_eq!(region.letters.len(), 2, "{}", region.id);
            let others = REGIONS
                .iter()
                .filter(|other| other.letters == region.letters);
            assert_eq!(others.count(), 1, "{}", region.id);
        }
        assert_eq!(find("cn-hangzhou").map(|region| region.letters), Some("hz"));
    }
}
